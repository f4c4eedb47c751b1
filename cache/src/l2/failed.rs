use redis::RedisError;

use super::answer::{Answer, Verdict};

/// L2 did not answer, or refused. Readers go on to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// Why one call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nothing answered, or nothing was asked: the breaker is open, or too much waits.
    Away,
    /// Redis refused this call.
    Refused(Answer),
}

impl Failed {
    pub(crate) fn of(error: &RedisError) -> Self {
        let answer = Answer::read(error);
        match answer.verdict {
            Verdict::Lost => Self::Away,
            Verdict::Refused | Verdict::TryAgain => Self::Refused(answer),
        }
    }
}

impl From<Failed> for Away {
    fn from(_: Failed) -> Self {
        Self
    }
}
