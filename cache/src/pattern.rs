mod overlap;

/// A glob on the key within one cache, with the rules of Redis's `MATCH`: `*`, `?`, `[a-z]`,
/// `[^a]`, and `\` to take the next byte literally. L1 and L2 must agree on what matches, so this
/// is not a general glob library. A test compares the two.
///
/// ```
/// # fn main() -> Result<(), strata_cache::PatternError> {
/// use strata_cache::Pattern;
///
/// assert!(Pattern::parse("author:7:page:[0-9]")?.matches("author:7:page:2"));
/// assert!(Pattern::prefix("author:7:").matches("author:7:page:10"));
/// assert!(!Pattern::prefix("a*").matches("author:7"), "the star stands for itself");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: String,
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text is empty.
    #[error("use an empty pattern")]
    Empty,
    /// Longer than [`Pattern::MAX_BYTES`].
    #[error("use a pattern longer than {} bytes", Pattern::MAX_BYTES)]
    TooLong,
    /// A `[` without its `]`. Redis would guess its end.
    #[error("find the end of a [ in the pattern")]
    UnclosedClass,
    /// A range like `[a-é]`: whether bytes beyond ASCII come before or after `a` depends on the
    /// machine that Redis runs on.
    #[error("use a range that ends outside of ASCII")]
    RangeBeyondAscii,
    /// A `\` at the end escapes nothing.
    #[error("find what the last \\ of the pattern escapes")]
    TrailingEscape,
    /// Matching could take very long.
    #[error("use a pattern with more than {} stars", Pattern::MAX_STARS)]
    TooManyStars,
}

impl Pattern {
    /// The longest pattern, bytes.
    pub const MAX_BYTES: usize = 512;

    /// The greatest number of `*` in one pattern, since Redis backtracks at each.
    pub const MAX_STARS: usize = 8;

    /// Reads a pattern.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(PatternError::TooLong);
        }
        let mut stars = 0;
        let mut rest = text.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            rest = match first {
                b'\\' => tail.get(1..).ok_or(PatternError::TrailingEscape)?,
                b'[' => class_end(tail)?,
                b'*' => {
                    stars += 1;
                    tail
                }
                _ => tail,
            };
        }
        if stars > Self::MAX_STARS {
            return Err(PatternError::TooManyStars);
        }
        Ok(Self { text: text.to_owned() })
    }

    /// A pattern that matches the keys that start with `prefix`. All characters of `prefix` are
    /// literal.
    pub fn prefix(prefix: &str) -> Self {
        Self { text: format!("{}*", escape(prefix)) }
    }

    /// Whether the key matches.
    pub fn matches(&self, key: &str) -> bool {
        glob(self.text.as_bytes(), key.as_bytes())
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Escapes every glob character, so that the text matches only itself.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// One step of a pattern.
pub(crate) enum Head {
    Star,
    /// One byte that is in the set.
    Byte(Box<[bool; 256]>),
}

impl Pattern {
    /// The pattern step by step.
    pub(crate) fn heads(&self) -> Vec<Head> {
        let mut rest = self.text.as_bytes();
        let mut heads = Vec::new();
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'*' {
                heads.push(Head::Star);
                rest = tail;
                continue;
            }
            let mut set = Box::new([false; 256]);
            for byte in 0..=u8::MAX {
                set[usize::from(byte)] = one(rest, byte).is_some();
            }
            heads.push(Head::Byte(set));
            rest = match first {
                b'\\' => tail.get(1..).unwrap_or_default(),
                b'[' => class_end(tail).unwrap_or_default(),
                _ => tail,
            };
        }
        heads
    }
}

/// Returns the rest after the `]` of a class whose `[` has been taken. Must end where [`class`]
/// ends.
fn class_end(class: &[u8]) -> Result<&[u8], PatternError> {
    let mut rest = class.strip_prefix(b"^").unwrap_or(class);
    loop {
        rest = match rest {
            [] | [b'\\'] => return Err(PatternError::UnclosedClass),
            [b']', tail @ ..] => return Ok(tail),
            [b'\\', _, tail @ ..] => tail,
            [from, b'-', to, tail @ ..] => {
                if !from.is_ascii() || !to.is_ascii() {
                    return Err(PatternError::RangeBeyondAscii);
                }
                tail
            }
            [_, tail @ ..] => tail,
        };
    }
}

/// Matches with one remembered star, so the time is bounded by pattern times key.
fn glob(pattern: &[u8], key: &[u8]) -> bool {
    let (mut p, mut k) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, k));
            continue;
        }
        match (pattern.get(p), key.get(k)) {
            (None, None) => return true,
            (Some(_), Some(byte)) => {
                if let Some(next) = one(&pattern[p..], *byte) {
                    p += next;
                    k += 1;
                    continue;
                }
            }
            (Some(_), None) => return false,
            (None, Some(_)) => {}
        }
        let Some((after, from)) = star else {
            return false;
        };
        (p, k) = (after, from + 1);
        star = Some((after, k));
    }
}

/// Matches one byte against the head of a pattern, and returns the length of that head.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern[0] {
        b'?' => Some(1),
        b'\\' if pattern.len() > 1 => (pattern[1] == byte).then_some(2),
        b'[' => class(&pattern[1..], byte).map(|n| n + 1),
        literal => (literal == byte).then_some(1),
    }
}

/// Matches one byte against a class whose `[` has been taken, and returns the length of the rest.
fn class(class: &[u8], byte: u8) -> Option<usize> {
    let inverted = class.first() == Some(&b'^');
    let mut i = usize::from(inverted);
    let mut found = false;
    while i < class.len() && class[i] != b']' {
        if class[i] == b'\\' && i + 1 < class.len() {
            i += 1;
            found |= class[i] == byte;
        } else if class.get(i + 1) == Some(&b'-') && i + 2 < class.len() {
            let (a, b) = (class[i], class[i + 2]);
            found |= (a.min(b)..=a.max(b)).contains(&byte);
            i += 2;
        } else {
            found |= class[i] == byte;
        }
        i += 1;
    }
    (found != inverted).then_some(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(key)
    }

    #[test]
    fn stars_question_marks_and_classes_match_as_in_redis() {
        assert!(matches("author:17:*", "author:17:page:2"));
        assert!(!matches("author:17:*", "author:170:page:2"));
        assert!(matches("4*2", "4222"));
        assert!(matches("*", ""));
        assert!(matches("4?", "42") && !matches("4?", "4"));
        assert!(matches("[a-c]x", "bx") && !matches("[^a-c]x", "bx"));
        assert!(matches("[c-a]x", "bx"), "a reversed range is turned round");
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(matches("*a*b*", "xxaxxbxx") && !matches("*a*b*", "xxbxxaxx"));
    }

    #[test]
    fn a_prefix_stands_for_itself_whatever_it_holds() {
        let odd = r"a*[b]\^-?";
        assert!(Pattern::prefix(odd).matches(&format!("{odd}tail")));
        assert!(!Pattern::prefix("a*").matches("ab"));
    }

    #[test]
    fn malformed_patterns_are_refused_with_a_reason() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse("a[b"), Err(PatternError::UnclosedClass));
        assert_eq!(
            Pattern::parse("[a-]"),
            Err(PatternError::UnclosedClass),
            "it ranges from a to ]"
        );
        assert_eq!(Pattern::parse("[a-é]"), Err(PatternError::RangeBeyondAscii));
        assert_eq!(
            Pattern::parse(&format!(r"[a-\]{}]", "*a".repeat(9))),
            Err(PatternError::TooManyStars),
            "the class ends at the first ]"
        );
        assert_eq!(Pattern::parse(r"a\"), Err(PatternError::TrailingEscape));
        assert_eq!(Pattern::parse(&"a".repeat(513)), Err(PatternError::TooLong));
        assert_eq!(Pattern::parse(&"*a".repeat(9)), Err(PatternError::TooManyStars));
    }
}
