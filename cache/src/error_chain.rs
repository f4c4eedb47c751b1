use std::error::Error;
use std::fmt::{self, Display, Formatter};

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
    use crate::{BuildError, LoadError, NotReady, TryWriteError};

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
