use std::error::Error;

/// Panics where an error, or one that it has as its source, says again what its own source says:
/// a chain of errors would say it twice.
pub fn no_error_repeats_its_source(errors: &[Box<dyn Error>]) {
    for error in errors {
        let mut error: &dyn Error = &**error;
        while let Some(source) = error.source() {
            let (said, again) = (error.to_string(), source.to_string());
            assert!(!said.contains(&again), "{said:?} repeats {again:?}");
            error = source;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct Repeats(io::Error);

    impl fmt::Display for Repeats {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "read: {}", self.0)
        }
    }

    impl Error for Repeats {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_that_repeats_its_source_is_found() {
        let check = || {
            let error: Box<dyn Error> = Box::new(Repeats(io::Error::other("it is gone")));
            no_error_repeats_its_source(&[error]);
        };
        assert!(std::panic::catch_unwind(check).is_err());
    }
}
