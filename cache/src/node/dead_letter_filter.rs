//! A filter for dead letters.

use std::time::{SystemTime, UNIX_EPOCH};

use strata_report::DeadLetterQuery;

use crate::clock::millis;
use crate::pattern::{Pattern, PatternError};

/// Selects the dead letters that match every field that is set; all dead letters if none is set.
///
/// ```
/// # fn main() -> Result<(), strata_cache::PatternError> {
/// use std::time::{Duration, SystemTime};
/// use strata_cache::{DeadLetterFilter, Pattern};
///
/// // What the outage of the last hour left behind.
/// let an_hour_ago = SystemTime::now() - Duration::from_secs(3_600);
/// let filter = DeadLetterFilter::all()
///     .key(Pattern::parse("order:*")?)
///     .reason("connection refused")
///     .from(an_hour_ago);
/// # let _ = filter;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    id: Option<String>,
    key: Option<Pattern>,
    /// In lower case.
    reason: Option<String>,
    from_ms: Option<u64>,
    until_ms: Option<u64>,
}

/// The fields of a dead letter that a filter compares.
pub(crate) struct DeadLetterFields<'a> {
    pub(crate) id: &'a str,
    pub(crate) key: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) since_ms: u64,
}

impl DeadLetterFilter {
    /// Selects all dead letters.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects the dead letter with this id.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Selects dead letters whose key matches.
    pub fn key(mut self, pattern: Pattern) -> Self {
        self.key = Some(pattern);
        self
    }

    /// Selects dead letters whose reason contains this text, regardless of case.
    pub fn reason(mut self, part: &str) -> Self {
        self.reason = Some(part.to_lowercase());
        self
    }

    /// Selects dead letters that were stored at this time or later, to the millisecond.
    pub fn from(mut self, time: SystemTime) -> Self {
        self.from_ms = Some(since_epoch_ms(time));
        self
    }

    /// Selects dead letters that were stored before this time, to the millisecond.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until_ms = Some(since_epoch_ms(time));
        self
    }

    pub(crate) fn only_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The first and the last millisecond that match, as far as they are set.
    pub(crate) fn bounds_ms(&self) -> (Option<u64>, Option<u64>) {
        (self.from_ms, self.until_ms.map(|until_ms| until_ms.saturating_sub(1)))
    }

    pub(crate) fn matches(&self, letter: &DeadLetterFields<'_>) -> bool {
        self.id.as_ref().is_none_or(|id| id == letter.id)
            && self.key.as_ref().is_none_or(|pattern| pattern.matches(letter.key))
            && self.from_ms.is_none_or(|from_ms| from_ms <= letter.since_ms)
            && self.until_ms.is_none_or(|until_ms| letter.since_ms < until_ms)
            && self
                .reason
                .as_ref()
                .is_none_or(|part| letter.reason.to_lowercase().contains(part.as_str()))
    }
}

/// The filter of a console's query. Every field that is set counts as it stands: an empty id
/// matches no dead letter, and an empty pattern is an error.
impl TryFrom<&DeadLetterQuery> for DeadLetterFilter {
    type Error = PatternError;

    fn try_from(query: &DeadLetterQuery) -> Result<Self, PatternError> {
        Ok(Self {
            id: query.id.clone(),
            key: query.key.as_deref().map(Pattern::parse).transpose()?,
            reason: query.reason.as_deref().map(str::to_lowercase),
            from_ms: query.from_ms,
            until_ms: query.until_ms,
        })
    }
}

fn since_epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, millis)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn letter() -> DeadLetterFields<'static> {
        DeadLetterFields {
            id: "5000-0",
            key: "order:7",
            reason: "Connection refused (os error 111)",
            since_ms: 5_000,
        }
    }

    fn at_ms(ms: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(ms)
    }

    #[test]
    fn a_letter_must_fit_everything_that_is_set() {
        let all = DeadLetterFilter::all;
        let pattern = |text| Pattern::parse(text).unwrap();
        assert!(all().matches(&letter()));
        let fitting = all().key(pattern("order:*")).reason("REFUSED").from(at_ms(5_000));
        assert!(fitting.clone().matches(&letter()));
        assert!(fitting.clone().until(at_ms(5_001)).id("5000-0").matches(&letter()));
        for other in [
            fitting.clone().until(at_ms(5_000)),
            fitting.clone().from(at_ms(5_001)),
            fitting.clone().key(pattern("user:*")),
            fitting.clone().reason("timed out"),
            fitting.id("5000-1"),
        ] {
            assert!(!other.matches(&letter()), "{other:?}");
        }
    }

    #[test]
    fn a_field_that_is_empty_does_not_mean_all_and_a_bad_pattern_is_told() {
        let all = DeadLetterQuery::default();
        assert_eq!(DeadLetterFilter::try_from(&all), Ok(DeadLetterFilter::all()));
        let empty = Some(String::new());
        let query = DeadLetterQuery { id: empty.clone(), ..all.clone() };
        assert!(!DeadLetterFilter::try_from(&query).unwrap().matches(&letter()));
        let query = DeadLetterQuery { key: empty, ..all.clone() };
        assert_eq!(DeadLetterFilter::try_from(&query), Err(PatternError::Empty));
        let bad = DeadLetterQuery { key: Some("[".to_owned()), ..all };
        assert_eq!(DeadLetterFilter::try_from(&bad), Err(PatternError::UnclosedClass));
    }
}
