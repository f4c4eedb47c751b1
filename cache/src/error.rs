use std::error::Error;
use std::fmt;
use std::fmt::{Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

/// Why a read was not answered. Cheap to clone: all readers of one flight share it. What the source
/// said is the error's source; [`ErrorChain`](crate::ErrorChain) prints both.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// The source answered with an error.
    #[error("load from the source")]
    Source(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The source did not answer within the load timeout.
    #[error("load from the source within its timeout")]
    TimedOut,
    /// The source answered with an older row than one that is cached: it lags behind.
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
    /// The load of a key, or one that it is run by, asks the same cache for the same key: it would
    /// wait for itself.
    #[error("load {key:?} of {cache} within a load of the same key")]
    Recursive {
        /// The cache.
        cache: Arc<str>,
        /// The key's text.
        key: Arc<str>,
    },
}

/// Why an operation named by text was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The node has no cache of this name.
    #[error("find the cache {0:?}")]
    UnknownCache(String),
    /// The text is no key of this cache.
    #[error("read {key:?} as a key of {cache}")]
    BadKey {
        /// The cache.
        cache: String,
        /// The text.
        key: String,
    },
    /// It is a moka cache that is only observed.
    #[error("mark keys of {0} as stale: it is only observed")]
    OnlyObserved(String),
    /// It is a moka cache that is observed without its keys' texts.
    #[error("find keys of {0} by their text: it is observed without")]
    NoKeyText(String),
    /// The cache has no write-behind on this node.
    #[error("find the write-behind of {0}")]
    NoWriteBehind(String),
    /// The store of the write-behind does not answer, or it has been shut down.
    #[error("reach the dead letters of {0}")]
    DeadLettersAway(String),
}

/// Why a node's invalidations cannot be written at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Redis does not answer this node in time, or invalidations wait to be replayed.
    #[error("reach Redis")]
    Away,
    /// Redis answers and refuses.
    #[error("write an invalidation: Redis answers {code} {message}")]
    Refused {
        /// The code of Redis's answer, as `MISCONF`.
        code: String,
        /// The rest of it.
        message: String,
    },
}

/// Why a write was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum TryWriteError<E> {
    /// It was not begun: other nodes would not have heard of it.
    #[error(transparent)]
    NotReady(#[from] NotReady),
    /// It failed by itself.
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
    /// Names take part in Redis keys and metric labels: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    #[error("use {0:?} as a name: it must be 1 to 64 of a-z, 0-9, _ and -")]
    BadName(String),
    /// A setting with which nothing would work.
    #[error("use {setting} = {value}: it must be {allowed}")]
    BadSetting {
        /// The method that sets it.
        setting: &'static str,
        /// What was set.
        value: String,
        /// What may be set.
        allowed: &'static str,
    },
    /// A group's template is empty, too long, or its braces do not pair.
    #[error("use {0:?} as the template of a key group")]
    BadTemplate(String),
    /// A cache has at most 64 key groups.
    #[error("use more than 64 key groups")]
    TooManyGroups,
    /// A durable write-behind needs a cache with L2.
    #[error("keep the writes of {0:?} in Redis: this cache has no L2")]
    NoL2(String),
    /// A cache has one write-behind at a time on one node.
    #[error("build a second write-behind for {0:?}")]
    DuplicateWriteBehind(String),
}

impl BuildError {
    /// Refuses a time within which nothing can happen.
    pub(crate) fn unless_a_millisecond(setting: &'static str, time: Duration) -> Result<(), Self> {
        if time >= Duration::from_millis(1) {
            return Ok(());
        }
        Err(Self::BadSetting { setting, value: format!("{time:?}"), allowed: "1ms or longer" })
    }

    /// Refuses none at all.
    pub(crate) fn unless_some(setting: &'static str, n: usize) -> Result<(), Self> {
        if n > 0 {
            return Ok(());
        }
        Err(Self::BadSetting { setting, value: "0".to_owned(), allowed: "1 or more" })
    }
}

/// Prints an error and what caused it in one line, `failed to write: the disk is full`: for where
/// people see nothing but a text. Errors of this crate say what failed; why is said by their
/// [`source`](Error::source). What an error of another crate repeats of its source is left out.
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
        let mut errors: Vec<Box<dyn Error>> = vec![
            Box::new(LoadError::Source(Arc::new(down()))),
            Box::new(TryWriteError::Write(down())),
            Box::new(TryWriteError::<io::Error>::NotReady(not_ready)),
            Box::new(crate::codec::Unfit::from(serde_json::from_str::<u64>("x").unwrap_err())),
            Box::new(crate::codec::Unfit::from(postcard::Error::DeserializeUnexpectedEnd)),
        ];
        if let Err(error) = redis::Client::open("no address".to_owned()) {
            errors.push(Box::new(BuildError::RedisUrl(error)));
        }
        errors
    }

    #[test]
    fn no_error_of_this_crate_says_what_its_source_says() {
        for error in with_a_source() {
            let mut error: &dyn Error = &*error;
            while let Some(source) = error.source() {
                let (said, again) = (error.to_string(), source.to_string());
                assert!(!said.contains(&again), "{said:?} repeats {again:?}");
                error = source;
            }
        }
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
