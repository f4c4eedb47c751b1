// A value is shown, not served: what is longer is cut, and said to be.
const MAX_CHARS: usize = 20_000;

/// A value as it is shown, and whether it was cut.
pub(in crate::screens) fn shown(json: &str) -> (String, bool) {
    let text = indented(json).unwrap_or_else(|| json.to_owned());
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => (format!("{}…", &text[..end]), true),
        None => (text, false),
    }
}

fn indented(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

/// The lines of a text that another one has not.
pub(super) fn differing_lines(text: &str, other: &str) -> Vec<bool> {
    let others: std::collections::HashSet<&str> =
        other.lines().map(|line| line.trim_end_matches(',')).collect();
    text.lines().map(|line| !others.contains(line.trim_end_matches(','))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_anything_else_left_as_it_is() {
        assert_eq!(shown("{\"a\":1}").0, "{\n  \"a\": 1\n}");
        assert_eq!(shown("<script>").0, "<script>");
    }

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        let (text, is_cut) = shown(&"é".repeat(MAX_CHARS + 1));
        assert!(is_cut && text.ends_with('…'));
        assert_eq!(text.chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn lines_that_differ_are_marked() {
        let marks = differing_lines("{\n  \"a\": 1,\n  \"b\": 2\n}", "{\n  \"a\": 1\n}");
        assert_eq!(marks, [false, false, true, false]);
    }
}
