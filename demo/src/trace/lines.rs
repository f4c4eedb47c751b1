use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::site::MAX_TRACE_KEY_BYTES;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BUFFER_BYTES: usize = 64 * 1_024;

/// The lines of a trace, one at a time, however large the file is.
pub(super) struct Lines<R> {
    reader: R,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Key(String),
    /// Nothing stands on it.
    Blank,
    /// No key can be made of it.
    NoKey,
}

impl Lines<Box<dyn BufRead + Send>> {
    /// Opens a plain or gzip file; its first bytes tell which.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::unpack(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?))
    }

    /// Reads what is plain or gzip; its first bytes tell which.
    pub(super) fn unpack(mut packed: impl BufRead + Send + 'static) -> io::Result<Self> {
        let is_gzip = packed.fill_buf()?.starts_with(&GZIP_MAGIC);
        let reader: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(packed)))
        } else {
            Box::new(packed)
        };
        Ok(Self { reader })
    }

    /// Ends after so many bytes, unpacked ones where it is packed.
    pub(super) fn at_most(self, max_bytes: u64) -> Lines<io::Take<Box<dyn BufRead + Send>>> {
        Lines { reader: self.reader.take(max_bytes) }
    }
}

impl<R: BufRead> Lines<R> {
    fn read_line(&mut self) -> io::Result<Option<Line>> {
        // Two more than a key may have: room for its line end.
        let max = MAX_TRACE_KEY_BYTES + 2;
        let mut bytes = Vec::with_capacity(64);
        self.reader.by_ref().take(max as u64).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() == max && !bytes.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Line::NoKey));
        }
        Ok(Some(line_of(bytes)))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}

fn line_of(mut bytes: Vec<u8>) -> Line {
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    if bytes.ends_with(b"\r") {
        bytes.pop();
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.is_empty() => Line::Blank,
        Ok(key)
            if (1..=MAX_TRACE_KEY_BYTES).contains(&key.len())
                && !key.contains(char::is_control) =>
        {
            Line::Key(key)
        }
        _ => Line::NoKey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(bytes: &[u8]) -> Vec<Line> {
        Lines { reader: bytes }.map(Result::unwrap).collect()
    }

    fn key(text: &str) -> Line {
        Line::Key(text.to_owned())
    }

    #[test]
    fn each_line_is_a_key_with_or_without_an_end() {
        assert_eq!(lines_of(b"a:1\nb:2\r\nc:3"), [key("a:1"), key("b:2"), key("c:3")]);
        assert_eq!(lines_of(b""), []);
    }

    #[test]
    fn lines_that_are_no_keys_are_told_apart_and_the_next_line_is_whole() {
        let long = "x".repeat(MAX_TRACE_KEY_BYTES + 1);
        let endless = "y".repeat(1_000_000);
        let text = format!("\n{long}\n{endless}\n\tz\nlast\n");
        let mut bytes = text.into_bytes();
        bytes.extend(b"\xff\xfe\nend");
        let no = Line::NoKey;
        let expected =
            [Line::Blank, no.clone(), no.clone(), no.clone(), key("last"), no, key("end")];
        assert_eq!(lines_of(&bytes), expected);
    }

    #[test]
    fn the_longest_key_is_a_key_with_every_line_end() {
        let longest = "x".repeat(MAX_TRACE_KEY_BYTES);
        for end in ["", "\n", "\r\n"] {
            let text = format!("{longest}{end}");
            assert_eq!(lines_of(text.as_bytes()), [key(&longest)], "{end:?}");
        }
    }
}
