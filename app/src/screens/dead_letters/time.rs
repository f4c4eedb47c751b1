//! Dates in UTC, as a browser's field for a date and a time writes them.

const DAY_MS: u64 = 86_400_000;

/// "2026-11-26 14:30:05".
pub(super) fn in_words(at_ms: u64) -> String {
    let (year, month, day) = date(at_ms / DAY_MS);
    format!("{year}-{month:02}-{day:02} {}", crate::format::clock(at_ms))
}

/// What a field holds: "2026-11-26T14:30:05".
pub(super) fn in_field(at_ms: u64) -> String {
    in_words(at_ms).replace(' ', "T")
}

/// Milliseconds since the epoch of "2026-11-26T14:30", with or without seconds; `None` where it is
/// no such text.
pub(super) fn of_field(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().unwrap_or(Some(0.0))?;
    let fits =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time = (0.0..24.0).contains(&hour)
        && (0.0..60.0).contains(&minute)
        && (0.0..61.0).contains(&second);
    let of_day = ((hour * 60.0 + minute) * 60.0 + second) * 1_000.0;
    (fits && is_time).then(|| days(year, month, day) * DAY_MS + of_day as u64)
}

// Howard Hinnant's `civil_from_days`, for days since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

// Its reverse.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_in_words_and_in_a_field() {
        for (at_ms, words) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_795_703_405_000, "2026-11-26 14:30:05"),
        ] {
            assert_eq!(in_words(at_ms), words);
            assert_eq!(of_field(&in_field(at_ms)), Some(at_ms));
        }
        assert_eq!(of_field("2026-11-26T14:30"), Some(1_795_703_400_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "2026-11-26", "2026-13-01T00:00", "x-1-1T0:0", "2026-11-26T24:00", "0-1-1T1:1"]
        {
            assert_eq!(of_field(text), None, "{text}");
        }
    }
}
