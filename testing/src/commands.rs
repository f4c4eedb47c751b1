/// Reads the names of the commands that a client sends to Redis.
#[derive(Debug, Default)]
pub struct Commands {
    unread: Vec<u8>,
}

impl Commands {
    /// The commands that end within these bytes.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.unread.extend_from_slice(bytes);
        let mut names = Vec::new();
        while let Some((name, rest)) = command(&self.unread) {
            names.push(name);
            self.unread = rest.to_vec();
        }
        names
    }
}

/// An array of strings: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.
fn command(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (n_words, mut rest) = number(bytes)?;
    let mut name = String::new();
    for place in 0..n_words {
        let (length, word) = number(rest)?;
        if place == 0 {
            name = String::from_utf8_lossy(word.get(..length)?).to_uppercase();
        }
        rest = word.get(length + 2..)?;
    }
    Some((name, rest))
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\r')?;
    let text = std::str::from_utf8(bytes.get(1..end)?).ok()?;
    Some((text.parse().ok()?, bytes.get(end + 2..)?))
}
