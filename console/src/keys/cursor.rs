use std::fmt;
use std::str::FromStr;

use crate::error::ConsoleError;

/// Where a search goes on: a key's name in L1, or a place in a walk over L2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    L1 {
        after: Option<String>,
    },
    /// Redis's own cursor and, where a step was cut, its last row by name.
    L2 {
        scan: u64,
        after: Option<String>,
    },
}

impl Cursor {
    const MAX_BYTES: usize = 2_048;

    pub(crate) fn scan(scan: u64) -> Self {
        Self::L2 { scan, after: None }
    }
}

/// `1.<key>` or `2.<cursor>.<key>`, keys in hexadecimal.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::L1 { after } | Self::L2 { after, .. }) = self;
        match self {
            Self::L1 { .. } => f.write_str("1.")?,
            Self::L2 { scan, .. } => write!(f, "2.{scan}.")?,
        }
        after.iter().flat_map(|after| after.bytes()).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = ConsoleError;

    fn from_str(text: &str) -> Result<Self, ConsoleError> {
        let read = || match text.split_once('.')? {
            ("1", after) => Some(Self::L1 { after: key(after)? }),
            ("2", rest) => {
                let (scan, after) = rest.split_once('.')?;
                Some(Self::L2 { scan: scan.parse().ok()?, after: key(after)? })
            }
            _ => None,
        };
        let fits = text.len() <= Self::MAX_BYTES && text.is_ascii();
        fits.then(read).flatten().ok_or(ConsoleError::BadCursor)
    }
}

/// `None` is no key after all; an empty text is none.
fn key(hex: &str) -> Option<Option<String>> {
    if hex.is_empty() {
        return Some(None);
    }
    // A sign would be read as a part of the number.
    if hex.contains('+') {
        return None;
    }
    let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    Some(Some(String::from_utf8(bytes?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_from_its_text() {
        let after = Some("author:1:page:ü.".to_owned());
        for cursor in [
            Cursor::L1 { after: None },
            Cursor::L1 { after: after.clone() },
            Cursor::scan(u64::MAX),
            Cursor::L2 { scan: 7, after },
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn no_other_text_is_a_cursor() {
        for text in ["", "1", "3.", "2.x.", "2.1", "1.zz", "1.a", "1.+a", "1.ü", "2.-1.", "1.ff"] {
            assert_eq!(text.parse::<Cursor>(), Err(ConsoleError::BadCursor), "{text:?}");
        }
    }
}
