use std::borrow::Cow;
use std::fmt::Write as _;

/// What is read as nothing or as something else, beside controls and blanks: marks that turn the
/// line round, that join or part, that fill without a sign, and that choose a shape.
const UNSEEN: [(char, char); 22] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    // The last ones of the last plane are no characters.
    ('\u{10fffe}', '\u{10ffff}'),
];

/// A key, a pattern, a tag or a name as people read it: what cannot be seen, what turns the line
/// round, and blanks at an end or side by side are written out, as in `7\u{200b}`. Two texts that
/// differ are also shown differently.
pub fn visible(text: &str) -> Cow<'_, str> {
    let chars: Vec<char> = text.chars().collect();
    let is_odd = |i: usize| is_odd(&chars, i);
    if !(0..chars.len()).any(|i| is_odd(i) || reads_as_written_out(&chars, i)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for (i, c) in chars.iter().enumerate() {
        if is_odd(i) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(*c));
        } else {
            if reads_as_written_out(&chars, i) {
                shown.push('\\');
            }
            shown.push(*c);
        }
    }
    Cow::Owned(shown)
}

fn is_odd(chars: &[char], i: usize) -> bool {
    let c = chars[i];
    if c == ' ' {
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        return [before, chars.get(i + 1)].iter().any(|beside| beside.is_none_or(|c| *c == ' '));
    }
    c.is_control()
        || c.is_whitespace()
        || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Whether a backslash could be taken for the beginning of something written out.
fn reads_as_written_out(chars: &[char], i: usize) -> bool {
    let is_backslash = chars[i] == '\\';
    is_backslash
        && match chars.get(i + 1) {
            Some('\\') => true,
            Some('u') => chars.get(i + 2) == Some(&'{'),
            Some(_) => is_odd(chars, i + 1),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_is_left_as_it_is() {
        for text in ["", "4711", "author:17:*", "a b", "\\*", "größe", "日本語", "नमस्ते", "c:\\x"]
        {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_is_invisible_or_turns_the_line_round_is_written_out() {
        let cases = [
            ("7\u{200b}", r"7\u{200b}"),
            ("\u{202e}gpj.7", r"\u{202e}gpj.7"),
            ("a\nb", r"a\u{a}b"),
            ("a\u{7}", r"a\u{7}"),
            ("a\u{a0}b", r"a\u{a0}b"),
            ("a\u{2028}b", r"a\u{2028}b"),
            ("\u{feff}1", r"\u{feff}1"),
            ("7\u{3164}", r"7\u{3164}"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn blanks_at_an_end_or_side_by_side_are_written_out() {
        assert_eq!(visible("7 "), r"7\u{20}");
        assert_eq!(visible(" 7"), r"\u{20}7");
        assert_eq!(visible("a  b"), r"a\u{20}\u{20}b");
        assert_eq!(visible(" "), r"\u{20}");
    }

    #[test]
    fn two_texts_that_differ_are_shown_differently() {
        let texts =
            ["\u{202e}", r"\u{202e}", r"\\u{202e}", "\\\u{202e}", "\\\\\u{202e}", r"\\", r"\"];
        for (i, text) in texts.iter().enumerate() {
            for other in &texts[i + 1..] {
                assert_ne!(visible(text), visible(other), "{text:?} and {other:?}");
            }
        }
    }
}
