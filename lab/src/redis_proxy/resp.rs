/// Reads the commands out of what a client sends to Redis, wherever that is cut into pieces.
#[derive(Default)]
pub(super) struct Commands {
    line: Line,
    bulk: Option<Bulk>,
    /// Words of the command under way that have not come.
    n_missing: u64,
    command: Command,
}

/// A command, of which what is long is not kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// With those that were not kept.
    pub(super) n_words: u64,
}

/// How a word of a command begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: Vec<u8>,
    pub(super) is_cut: bool,
}

/// Tells apart the answers in what Redis sends, in both versions of its protocol.
#[derive(Default)]
pub(super) struct Answers {
    line: Line,
    bulk: Option<Bulk>,
    /// Arrays and the like that have not ended, the outermost first.
    open: Vec<Frame>,
    answer: Answer,
}

/// What is noticed of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Anything in it is not nil.
    pub(super) has_value: bool,
    /// It ends with an empty array.
    pub(super) ends_empty: bool,
    /// How its last text begins.
    pub(super) text: Vec<u8>,
    /// Its last number.
    pub(super) number: Option<i64>,
    /// How its last error begins.
    pub(super) error: Option<Vec<u8>>,
}

/// The bytes are not what Redis speaks, or not what we know of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbled;

const MAX_WORDS: usize = 320;
const MAX_DEPTH: usize = 32;
const MAX_LENGTH: u64 = 1 << 40;

impl Commands {
    /// The commands that end in these bytes.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Command>, Garbled> {
        let mut ended = Vec::new();
        while !bytes.is_empty() {
            match self.bulk.take() {
                Some(mut bulk) => match bulk.is_whole_with(&mut bytes) {
                    true => ended.extend(self.take(bulk)),
                    false => self.bulk = Some(bulk),
                },
                None => {
                    if let Some(line) = self.line.whole_with(&mut bytes) {
                        self.begin(&line)?;
                    }
                }
            }
        }
        Ok(ended)
    }

    fn begin(&mut self, line: &[u8]) -> Result<(), Garbled> {
        match (line.split_first(), self.n_missing) {
            (Some((b'*', n)), 0) => self.n_missing = length(n)?.unwrap_or(0),
            (Some((b'$', n)), 1..) => self.bulk = Some(Bulk::new(length(n)?.ok_or(Garbled)?)),
            _ => return Err(Garbled),
        }
        Ok(())
    }

    fn take(&mut self, bulk: Bulk) -> Option<Command> {
        self.n_missing -= 1;
        self.command.n_words += 1;
        if self.command.words.len() < MAX_WORDS {
            self.command.words.push(Word { is_cut: bulk.is_cut, start: bulk.start });
        }
        (self.n_missing == 0).then(|| std::mem::take(&mut self.command))
    }
}

impl Answers {
    /// The answers that end in these bytes.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<Vec<Answer>, Garbled> {
        let mut ended = Vec::new();
        while !bytes.is_empty() {
            let is_over = match self.bulk.take() {
                Some(mut bulk) => match bulk.is_whole_with(&mut bytes) {
                    true => self.end(Part::Text(bulk.start)),
                    false => {
                        self.bulk = Some(bulk);
                        false
                    }
                },
                None => match self.line.whole_with(&mut bytes) {
                    Some(line) => self.begin(&line)?,
                    None => false,
                },
            };
            if is_over {
                ended.push(std::mem::take(&mut self.answer));
            }
        }
        Ok(ended)
    }

    // Says whether an answer ended with this line.
    fn begin(&mut self, line: &[u8]) -> Result<bool, Garbled> {
        let (kind, rest) = line.split_first().ok_or(Garbled)?;
        let text = || Part::Text(rest.to_vec());
        Ok(match kind {
            b'+' | b',' | b'#' | b'(' => self.end(text()),
            b'-' => self.end(Part::Error(rest.to_vec())),
            b':' => self.end(number(rest).map_or_else(text, Part::Number)),
            b'_' => self.end(Part::Nil),
            b'$' | b'=' | b'!' => match length(rest)? {
                Some(n) => {
                    self.bulk = Some(Bulk::new(n));
                    false
                }
                None => self.end(Part::Nil),
            },
            b'*' | b'~' => match length(rest)? {
                Some(n) => self.open(Frame::Element(n))?,
                None => self.end(Part::Nil),
            },
            b'%' => self.open(Frame::Element(2 * length(rest)?.ok_or(Garbled)?))?,
            b'>' => self.open(Frame::Aside(length(rest)?.ok_or(Garbled)?))?,
            b'|' => self.open(Frame::Aside(2 * length(rest)?.ok_or(Garbled)?))?,
            _ => return Err(Garbled),
        })
    }

    fn open(&mut self, frame: Frame) -> Result<bool, Garbled> {
        match frame {
            Frame::Element(0) => Ok(self.end(Part::Empty)),
            Frame::Aside(0) => Ok(false),
            _ if self.open.len() == MAX_DEPTH => Err(Garbled),
            _ => {
                self.open.push(frame);
                Ok(false)
            }
        }
    }

    // Says whether the whole answer ended with this part.
    fn end(&mut self, part: Part) -> bool {
        if !self.open.iter().any(|frame| matches!(frame, Frame::Aside(_))) {
            self.answer.take(part);
        }
        while let Some(frame) = self.open.last_mut() {
            let (Frame::Element(n_missing) | Frame::Aside(n_missing)) = frame;
            *n_missing -= 1;
            if *n_missing > 0 {
                return false;
            }
            // What is said aside is no element of anything, and answers nothing.
            if let Some(Frame::Aside(_)) = self.open.pop() {
                return false;
            }
        }
        true
    }
}

impl Answer {
    fn take(&mut self, part: Part) {
        self.has_value |= !matches!(part, Part::Nil);
        self.ends_empty = matches!(part, Part::Empty);
        match part {
            Part::Text(start) => self.text = start,
            Part::Number(number) => self.number = Some(number),
            Part::Error(start) => self.error = Some(start),
            Part::Nil | Part::Empty => {}
        }
    }
}

/// Something with parts, and how many of them have not come.
enum Frame {
    /// It is an answer, or part of one.
    Element(u64),
    /// A push, or an attribute of what follows.
    Aside(u64),
}

/// What has no parts.
enum Part {
    Nil,
    Number(i64),
    Text(Vec<u8>),
    Error(Vec<u8>),
    /// An array without elements.
    Empty,
}

/// A line, of which the first bytes are kept.
#[derive(Default)]
struct Line {
    start: Vec<u8>,
}

impl Line {
    const KEPT: usize = 64;

    /// The line, once it is whole; takes what belongs to it.
    fn whole_with(&mut self, bytes: &mut &[u8]) -> Option<Vec<u8>> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        *bytes = rest;
        let kept = line.len().min(Self::KEPT - self.start.len());
        self.start.extend_from_slice(&line[..kept]);
        end?;
        let mut start = std::mem::take(&mut self.start);
        start.truncate(start.trim_ascii_end().len());
        Some(start)
    }
}

/// A text whose length came before it. Its first bytes are kept.
struct Bulk {
    start: Vec<u8>,
    is_cut: bool,
    n_kept: usize,
    /// With the end of its line.
    n_missing: u64,
}

impl Bulk {
    // An entry's key takes most of it: namespace and cache stand before what a reader looks for.
    const KEPT: u64 = 160;

    fn new(length: u64) -> Self {
        let n_kept = length.min(Self::KEPT) as usize;
        Self { start: Vec::new(), is_cut: length > Self::KEPT, n_kept, n_missing: length + 2 }
    }

    /// Whether it is whole now; takes what belongs to it.
    fn is_whole_with(&mut self, bytes: &mut &[u8]) -> bool {
        let n_here = usize::try_from(self.n_missing).unwrap_or(usize::MAX).min(bytes.len());
        let (here, rest) = bytes.split_at(n_here);
        *bytes = rest;
        let kept = n_here.min(self.n_kept - self.start.len());
        self.start.extend_from_slice(&here[..kept]);
        self.n_missing -= n_here as u64;
        self.n_missing == 0
    }
}

/// A length; `None` where there is nothing that could have one.
fn length(text: &[u8]) -> Result<Option<u64>, Garbled> {
    match number(text).ok_or(Garbled)? {
        -1 => Ok(None),
        n => u64::try_from(n).ok().filter(|n| *n < MAX_LENGTH).map(Some).ok_or(Garbled),
    }
}

fn number(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
