use std::collections::HashMap;
use std::io::{self, BufRead, Cursor};
use std::path::Path;

use super::lines::{Line, Lines};
use crate::random::Random;
use crate::site::MAX_TRACE_KEY_BYTES;

/// Recorded requests in memory: which key each asked for, by a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its name in addresses. That of an upload depends on its requests alone.
    pub id: String,
    /// Its name on a screen.
    pub title: String,
    /// The key of each request; keys are numbered from 1 as they first appear.
    pub requests: Vec<u32>,
    /// How many keys there are.
    pub n_keys: u32,
    /// Lines that are no keys, and were passed over.
    pub n_skipped: u64,
    /// Whether it goes on after its last request here.
    pub is_cut: bool,
}

/// Why something is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is larger than what may be uploaded.
    #[error("take more than {max} bytes; a trace may be packed with gzip", max = Recording::MAX_BYTES)]
    TooLarge,
    /// No line is a key.
    #[error("find a key in it: one is expected on each line")]
    Empty,
    /// A line is no key.
    #[error(
        "read line {0}: a key of 1 to {MAX_TRACE_KEY_BYTES} bytes is expected, UTF-8 without control \
         characters"
    )]
    NoKey(u64),
    /// It cannot be read, or not be unpacked.
    #[error("read it past line {line}: {why}")]
    Unreadable {
        /// The last line that was read.
        line: u64,
        /// Why.
        why: io::Error,
    },
    /// A mistake of ours.
    #[error("read it: the reader panicked")]
    Panicked,
}

/// What is done about lines that are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoiled {
    Refuse,
    Skip,
}

impl Recording {
    /// As large as an upload may be, packed or not.
    pub const MAX_BYTES: usize = 2 * 1_024 * 1_024;
    /// Lines that count; those after them are not read.
    pub const MAX_LINES: u64 = 200_000;
    /// As much as so many lines of keys can take, so that no more is ever unpacked.
    const MAX_UNPACKED_BYTES: u64 = Self::MAX_LINES * (MAX_TRACE_KEY_BYTES as u64 + 2);

    /// Reads what somebody sent, plain or gzip, one key a line. Blocks for as long as unpacking it
    /// takes.
    ///
    /// # Errors
    /// Where it is anything else, or too large.
    pub fn of_upload(title: &str, bytes: Vec<u8>) -> Result<Self, RecordingError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(RecordingError::TooLarge);
        }
        let lines = Lines::unpack(Cursor::new(bytes)).map_err(|why| unreadable(0, why))?;
        Self::of_lines(title, lines.at_most(Self::MAX_UNPACKED_BYTES), Spoiled::Refuse)
    }

    /// Reads the beginning of a file, plain or gzip. Lines that are no keys are passed over.
    pub(super) fn of_file(title: &str, path: &Path) -> Result<Self, RecordingError> {
        let lines = Lines::open(path).map_err(|why| unreadable(0, why))?;
        Self::of_lines(title, lines.at_most(Self::MAX_UNPACKED_BYTES), Spoiled::Skip)
    }

    /// Requests that were made up.
    pub fn of_numbers(id: &str, title: &str, numbers: impl Iterator<Item = u64>) -> Self {
        let mut reading = Reading::default();
        for number in numbers {
            reading.request(number);
        }
        Self { id: id.to_owned(), title: title.to_owned(), ..reading.end() }
    }

    fn of_lines(
        title: &str,
        lines: Lines<impl BufRead>,
        spoiled: Spoiled,
    ) -> Result<Self, RecordingError> {
        let mut reading = Reading::default();
        let (mut content, mut n_skipped, mut is_cut) = (Random::of_text("").next_u64(), 0, false);
        for (line, before) in lines.zip(0..) {
            if before == Self::MAX_LINES {
                is_cut = true;
                break;
            }
            match line.map_err(|why| unreadable(before, why))? {
                Line::Key(key) => {
                    content = Random::new(content ^ Random::of_text(&key).next_u64()).next_u64();
                    reading.request(key);
                }
                Line::Blank => (),
                Line::NoKey if spoiled == Spoiled::Refuse => {
                    return Err(RecordingError::NoKey(before + 1));
                }
                Line::NoKey => n_skipped += 1,
            }
        }
        let recording = reading.end();
        if recording.requests.is_empty() {
            return Err(RecordingError::Empty);
        }
        let (id, title) = (format!("{content:016x}"), title.to_owned());
        Ok(Self { id, title, n_skipped, is_cut, ..recording })
    }
}

struct Reading<K> {
    numbers: HashMap<K, u32>,
    requests: Vec<u32>,
}

impl<K> Default for Reading<K> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), requests: Vec::new() }
    }
}

impl<K: std::hash::Hash + Eq> Reading<K> {
    fn request(&mut self, key: K) {
        let next = self.numbers.len() as u32 + 1;
        self.requests.push(*self.numbers.entry(key).or_insert(next));
    }

    fn end(self) -> Recording {
        Recording {
            id: String::new(),
            title: String::new(),
            n_keys: self.numbers.len() as u32,
            requests: self.requests,
            n_skipped: 0,
            is_cut: false,
        }
    }
}

fn unreadable(line: u64, why: io::Error) -> RecordingError {
    RecordingError::Unreadable { line, why }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: impl Into<Vec<u8>>) -> Result<Recording, String> {
        Recording::of_upload("mine", bytes.into()).map_err(|error| error.to_string())
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn keys_are_numbered_as_they_appear_and_blank_lines_say_nothing() {
        let recording = read("b\n\na\r\nb\nc\n\n").unwrap();
        assert_eq!(recording.requests, [1, 2, 1, 3]);
        assert_eq!(
            (recording.n_keys, recording.is_cut, recording.title.as_str()),
            (3, false, "mine")
        );
    }

    #[test]
    fn packed_or_plain_it_is_the_same_recording_and_another_is_another() {
        let plain = read("a\nb\na\n").unwrap();
        assert_eq!(read(packed(b"a\nb\na\n")).unwrap(), plain);
        assert_ne!(read("a\nb\nb\n").unwrap().id, plain.id);
        assert_ne!(read("b\na\nb\n").unwrap().id, plain.id);
    }

    #[test]
    fn what_is_no_trace_is_refused_and_says_where() {
        let no_key = |line| {
            format!(
                "read line {line}: a key of 1 to 256 bytes is expected, UTF-8 without control \
                 characters"
            )
        };
        let empty = "find a key in it: one is expected on each line".to_owned();
        assert_eq!(read(""), Err(empty.clone()));
        assert_eq!(read("\n\r\n\n"), Err(empty));
        assert_eq!(read(b"a\nb\n\x89PNG\x1a\n".as_slice()), Err(no_key(3)));
        assert_eq!(read(b"\x00\x01\x02".as_slice()), Err(no_key(1)));
        assert_eq!(read("x".repeat(257)), Err(no_key(1)));
        let mut broken = packed("a:1\na:2\n".repeat(10_000).as_bytes());
        broken.truncate(broken.len() / 2);
        let why = read(broken).unwrap_err();
        assert!(why.starts_with("read it past line "), "{why}");
        let why = read(b"\x1f\x8bnonsense".as_slice()).unwrap_err();
        assert!(why.starts_with("read it past line 0: "), "{why}");
        let why = read(vec![b'a'; Recording::MAX_BYTES + 1]).unwrap_err();
        assert_eq!(why, "take more than 2097152 bytes; a trace may be packed with gzip");
    }

    #[test]
    fn no_more_is_unpacked_than_so_many_keys_can_take() {
        let line = vec![b'x'; 64 * 1_024 * 1_024];
        assert!(read(packed(&line)).unwrap_err().starts_with("read line 1: "));
        let blank = vec![b'\n'; 64 * 1_024 * 1_024];
        assert!(read(packed(&blank)).unwrap_err().starts_with("find a key in it"));
    }

    #[test]
    fn what_comes_after_the_last_line_that_counts_is_left_out() {
        let max = Recording::MAX_LINES as usize;
        let whole = read("a\n".repeat(max)).unwrap();
        assert_eq!((whole.requests.len(), whole.is_cut), (max, false));
        let cut = read("a\n".repeat(max + 1)).unwrap();
        assert_eq!((cut.requests.len(), cut.is_cut), (max, true));
    }
}
