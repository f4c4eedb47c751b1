/// Where a list or a run continues, and where it ends. Dead letters that arise after it began are
/// not part of it. A run that redrives rows which fail again therefore ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::write_behind) struct Cursor {
    /// Continues after the letter with this id; `None` starts at the oldest.
    pub(in crate::write_behind) after: Option<String>,
    /// In Redis the last millisecond, in memory the last id. Set by the first look.
    pub(in crate::write_behind) until: Option<u64>,
}

impl Cursor {
    /// Reads the result of [`text`](Self::text). Any other text begins at the oldest.
    pub(super) fn read(text: Option<&str>) -> Self {
        let read = |text: &str| {
            let (after, until) = text.split_once(':')?;
            let is_id = !after.is_empty() && after.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            let until = until.parse().ok()?;
            is_id.then(|| Self { after: Some(after.to_owned()), until: Some(until) })
        };
        text.and_then(read).unwrap_or_default()
    }

    pub(super) fn text(after: &str, until: u64) -> String {
        format!("{after}:{until}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_gibberish_begins_at_the_oldest() {
        let cursor = Cursor::read(Some(&Cursor::text("17-3", 99)));
        assert_eq!(cursor, Cursor { after: Some("17-3".to_owned()), until: Some(99) });
        for text in [None, Some(""), Some("17-3"), Some(":9"), Some("x:9"), Some("17-3:x")] {
            assert_eq!(Cursor::read(text), Cursor::default(), "{text:?}");
        }
    }
}
