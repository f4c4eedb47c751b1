use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far back a chart looks. The text is the one of the wire and of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Range {
    /// The last minute, second by second.
    #[serde(rename = "1m")]
    Minute,
    /// The last 15 minutes, second by second.
    #[default]
    #[serde(rename = "15m")]
    FifteenMinutes,
    /// The last two hours in steps of ten seconds.
    #[serde(rename = "2h")]
    TwoHours,
    /// The last day, minute by minute.
    #[serde(rename = "1d")]
    Day,
}

impl Range {
    /// Every range, the shortest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::FifteenMinutes, Self::TwoHours, Self::Day];

    /// The text of the wire: `1m`, `15m`, `2h` or `1d`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FifteenMinutes => "15m",
            Self::TwoHours => "2h",
            Self::Day => "1d",
        }
    }

    /// How long it is.
    pub const fn span(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute => 60,
            Self::FifteenMinutes => 15 * 60,
            Self::TwoHours => 2 * 3_600,
            Self::Day => 24 * 3_600,
        })
    }

    /// How long one step of it is.
    pub const fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute | Self::FifteenMinutes => 1,
            Self::TwoHours => 10,
            Self::Day => 60,
        })
    }
}

/// The text is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeError;

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("read the range: it must be 1m, 15m, 2h or 1d")
    }
}

impl std::error::Error for RangeError {}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::ALL.into_iter().find(|range| range.as_str() == text).ok_or(RangeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reads_back_from_its_text_and_from_the_wire() {
        for range in Range::ALL {
            assert_eq!(range.as_str().parse(), Ok(range));
            let json = serde_json::to_string(&range).unwrap();
            assert_eq!(json, format!("\"{}\"", range.as_str()));
        }
        assert_eq!("5m".parse::<Range>(), Err(RangeError));
    }
}
