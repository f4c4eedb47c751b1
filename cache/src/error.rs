use std::error::Error;
use std::fmt;
use std::fmt::{Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

/// Why a read failed. Cheap to clone: all readers of one flight share it. The source's own error is
/// available as [`source`](std::error::Error::source), and [`ErrorChain`](crate::ErrorChain) prints
/// both.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// The source answered with an error.
    #[error("load from the source")]
    Source(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The source did not answer within the load timeout.
    #[error("load from the source within its timeout")]
    TimedOut,
    /// The source returned an older row than the cached one, so it lags behind.
    #[error("load from the source: its row is older than the one cached")]
    Lagging,
    /// The load panicked.
    #[error("load from the source: it panicked")]
    Panicked,
    /// As many loads of the cache ran as [`max_loads`](crate::CacheBuilder::max_loads) allows, and
    /// none ended within the load timeout.
    #[error("load from the source: {max_loads} loads of {cache} are running already")]
    Busy {
        /// The cache.
        cache: Arc<str>,
        /// How many of its loads run at a time on one node.
        max_loads: usize,
    },
    /// The load of a key asks the same cache for the same key, directly or through other loads. It
    /// would wait for itself.
    #[error("load {key:?} of {cache} within a load of the same key")]
    Recursive {
        /// The cache.
        cache: Arc<str>,
        /// The key's text.
        key: Arc<str>,
    },
}

/// Why an operation on a cache or key named by text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The node has no cache of this name.
    #[error("find the cache {0:?}")]
    UnknownCache(String),
    /// The text is not a key of this cache.
    #[error("read {key:?} as a key of {cache}")]
    BadKey {
        /// The cache.
        cache: String,
        /// The text.
        key: String,
    },
    /// The cache is a moka cache that is only observed.
    #[error("mark keys of {0} as stale: it is only observed")]
    OnlyObserved(String),
    /// The cache is a moka cache that is observed without the texts of its keys.
    #[error("find keys of {0} by their text: it is observed without")]
    NoKeyText(String),
    /// The cache has no write-behind on this node.
    #[error("find the write-behind of {0}")]
    NoWriteBehind(String),
    /// The store of the write-behind does not answer, or the write-behind was shut down.
    #[error("reach the dead letters of {0}")]
    DeadLettersAway(String),
}

/// Why a node's invalidations cannot be written at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Redis does not answer this node in time, or invalidations wait to be replayed.
    #[error("reach Redis")]
    Away,
    /// Redis answered and refused.
    #[error("write an invalidation: Redis answers {code} {message}")]
    Refused {
        /// The code of Redis's answer, as `MISCONF`.
        code: String,
        /// The rest of the answer.
        message: String,
    },
}

/// Why a write was not started, or failed.
#[derive(Debug, thiserror::Error)]
pub enum TryWriteError<E> {
    /// The write was not started, because other nodes could not be told of it.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// The write itself failed.
    #[error("write to the source")]
    Write(#[source] E),
}

/// Why a node or a cache could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Redis address cannot be parsed.
    #[error("read the Redis address")]
    RedisUrl(#[source] redis::RedisError),
    /// Two caches of one node, or a cache and structures, share a name.
    #[error("use the name {0:?} twice on one node")]
    DuplicateName(String),
    /// A name is not 1 to 64 of `a-z`, `0-9`, `_` and `-`. Names appear in Redis keys and metric
    /// labels.
    #[error("use {0:?} as a name: it must be 1 to 64 of a-z, 0-9, _ and -")]
    BadName(String),
    /// A setting has a value with which the node or cache could not work.
    #[error("use {setting} = {value}: it must be {allowed}")]
    BadSetting {
        /// The method that sets it.
        setting: &'static str,
        /// The value.
        value: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A group's template is empty, too long, or its braces do not pair.
    #[error("use {0:?} as the template of a key group")]
    BadTemplate(String),
    /// A cache has at most 64 key groups.
    #[error("use more than 64 key groups")]
    TooManyGroups,
    /// A durable write-behind was built for a cache without L2.
    #[error("keep the writes of {0:?} in Redis: this cache has no L2")]
    NoL2(String),
    /// The cache already has a write-behind on this node.
    #[error("build a second write-behind for {0:?}")]
    DuplicateWriteBehind(String),
}

impl BuildError {
    /// Refuses a time below a millisecond, within which nothing can happen.
    pub(crate) fn unless_a_millisecond(setting: &'static str, time: Duration) -> Result<(), Self> {
        if time >= Duration::from_millis(1) {
            return Ok(());
        }
        Err(Self::BadSetting { setting, value: format!("{time:?}"), allowed: "1ms or longer" })
    }

    /// Refuses 0.
    pub(crate) fn unless_some(setting: &'static str, n: usize) -> Result<(), Self> {
        if n > 0 {
            return Ok(());
        }
        Err(Self::BadSetting { setting, value: "0".to_owned(), allowed: "1 or more" })
    }
}

/// Prints an error and its causes in one line, as `failed to write: the disk is full`. Use it where
/// only text can be shown. An error of this crate says what failed, and its
/// [`source`](Error::source) says why. If an error of another crate repeats its source, the
/// repetition is left out.
///
/// ```
/// use strata_cache::ErrorChain;
///
/// let error = "x".parse::<u64>().unwrap_err();
/// assert_eq!(ErrorChain(&error).to_string(), "invalid digit found in string");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            let text = source.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            next = source.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("ask the library: {0}")]
    struct Repeats(#[source] io::Error);

    fn down() -> io::Error {
        io::Error::other("it is down")
    }

    /// Every kind of error of this crate that has a source.
    fn with_a_source() -> Vec<Box<dyn Error>> {
        let not_ready = NotReady::Refused { code: "OOM".to_owned(), message: "full".to_owned() };
        #[cfg_attr(not(feature = "redis"), expect(unused_mut, reason = "only Redis adds one"))]
        let mut errors: Vec<Box<dyn Error>> = vec![
            Box::new(LoadError::Source(Arc::new(down()))),
            Box::new(TryWriteError::Write(down())),
            Box::new(TryWriteError::<io::Error>::NotReady(not_ready)),
            Box::new(crate::codec::Unfit::from(serde_json::from_str::<u64>("x").unwrap_err())),
            Box::new(crate::codec::Unfit::from(postcard::Error::DeserializeUnexpectedEnd)),
        ];
        #[cfg(feature = "redis")]
        if let Err(error) = redis::Client::open("no address".to_owned()) {
            errors.push(Box::new(BuildError::RedisUrl(error)));
        }
        errors
    }

    #[test]
    fn no_error_of_this_crate_says_what_its_source_says() {
        strata_testing::no_error_repeats_its_source(&with_a_source());
    }

    #[test]
    fn a_chain_says_each_thing_once() {
        let load = LoadError::Source(Arc::new(Repeats(down())));
        assert_eq!(load.to_string(), "load from the source");
        let chain = ErrorChain(&load).to_string();
        assert_eq!(chain, "load from the source: ask the library: it is down");
        let write = TryWriteError::Write(down());
        assert_eq!(ErrorChain(&write).to_string(), "write to the source: it is down");
    }
}
