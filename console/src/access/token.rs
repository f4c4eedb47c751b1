use std::fmt;

/// A token that somebody presents, and the name that the audit trail then shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    name: String,
    secret: String,
}

/// Why a text holds no tokens. Never repeats the text. Each message fits after "failed to …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is nothing but white space.
    #[error("use a blank token")]
    Blank,
    /// It would arrive as something else.
    #[error(
        "use a token that cannot travel in a header or cookie: it may hold ASCII letters, digits \
         and signs, but no blanks, quotes, commas, semicolons or backslashes"
    )]
    CannotTravel,
    /// No header can carry it.
    #[error("use a token of more than {} bytes, which no header carries", Token::MAX_BYTES)]
    TooLong,
}

impl Token {
    /// Servers and proxies refuse longer headers, 8 KiB in all being a common limit.
    const MAX_BYTES: usize = 4_096;

    /// Reads tokens, one a line: `anna:secret`, or a secret alone, which bears the name `unnamed`.
    /// White space around each is cut, and empty lines are skipped.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn read_lines(text: &str, unnamed: &str) -> Result<Vec<Self>, TokenError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let tokens = lines.map(|line| Self::read(line, unnamed)).collect::<Result<Vec<_>, _>>()?;
        if tokens.is_empty() { Err(TokenError::Blank) } else { Ok(tokens) }
    }

    fn read(line: &str, unnamed: &str) -> Result<Self, TokenError> {
        let named = line.split_once(':').filter(|(name, _)| is_name(name));
        let (name, secret) = named.unwrap_or((unnamed, line));
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(TokenError::Blank);
        }
        if !secret.bytes().all(travels) {
            return Err(TokenError::CannotTravel);
        }
        if secret.len() > Self::MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        Ok(Self { name: name.to_owned(), secret: secret.to_owned() })
    }

    /// The name that the audit trail shows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether somebody presented it, with or without its name. How long that takes does not depend
    /// on how much of it is right.
    pub fn is(&self, presented: &str) -> bool {
        let bare = match presented.split_once(':') {
            Some((name, rest)) if name == self.name => rest,
            _ => presented,
        };
        same(presented.as_bytes(), self.secret.as_bytes())
            | same(bare.as_bytes(), self.secret.as_bytes())
    }

    /// Whether both let in whoever presents the same text.
    pub fn is_same_as(&self, other: &Self) -> bool {
        same(self.secret.as_bytes(), other.secret.as_bytes())
    }
}

impl fmt::Debug for Token {
    // Written out so that the secret never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

fn is_name(text: &str) -> bool {
    const MOST: usize = 64;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    (1..=MOST).contains(&text.len()) && text.bytes().all(is_part)
}

// What RFC 6265 lets a cookie hold; a header can carry more.
fn travels(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

// Compares every byte that was presented, whether or not an earlier one was wrong.
fn same(presented: &[u8], expected: &[u8]) -> bool {
    let mut difference = presented.len() ^ expected.len();
    for (byte, wanted) in presented.iter().zip(expected.iter().cycle()) {
        difference |= usize::from(byte ^ wanted);
    }
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Token>, TokenError> {
        Token::read_lines(text, "operator")
    }

    #[test]
    fn tokens_come_one_a_line_with_or_without_a_name() {
        let tokens = read("anna:one\n\n  ben@shop.test:two \r\nthree\n").unwrap();
        let names: Vec<_> = tokens.iter().map(Token::name).collect();
        assert_eq!(names, ["anna", "ben@shop.test", "operator"]);
        assert!(tokens[1].is("two") && tokens[1].is("ben@shop.test:two"));
        assert!(!tokens[1].is("anna:two") && !tokens[1].is("one"));
    }

    #[test]
    fn white_space_around_a_token_is_cut() {
        for text in ["sesame\n", " sesame", "\tsesame \r\n"] {
            assert!(read(text).unwrap()[0].is("sesame"), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_travel_is_refused_and_never_repeated() {
        for text in ["a;b", "pässwort", "two words", "a,b", "a\"b", "a\\b", "anna:a;b", "a\u{7f}"]
        {
            let error = read(text).unwrap_err();
            assert_eq!(error, TokenError::CannotTravel, "{text:?}");
            assert!(!error.to_string().contains(text), "{error}");
        }
        for text in ["", "  ", "\n\n", "anna:", "anna: "] {
            assert_eq!(read(text).unwrap_err(), TokenError::Blank, "{text:?}");
        }
    }

    #[test]
    fn a_token_that_no_header_carries_is_refused() {
        assert_eq!(read(&"x".repeat(4_097)).unwrap_err(), TokenError::TooLong);
        assert!(read(&"x".repeat(4_096)).unwrap()[0].is(&"x".repeat(4_096)));
    }

    #[test]
    fn a_colon_in_a_token_is_part_of_it_for_who_presents_it_whole() {
        let token = &read("a:b:c").unwrap()[0];
        assert!(token.is("a:b:c") && token.is("b:c"));
        assert!(!token.is("c") && !token.is("a:b"));
        assert!(read("!:x").unwrap()[0].is("!:x"));
    }

    #[test]
    fn only_the_whole_token_is_accepted() {
        let token = &read("abcabc").unwrap()[0];
        assert!(token.is("abcabc"));
        for wrong in ["", "abc", "abcabcabc", "abcabd", "bbcabc", "ABCABC", "abcabc "] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn the_secret_is_never_printed() {
        let printed = format!("{:?}", read("anna:sesame").unwrap());
        assert!(printed.contains("anna") && !printed.contains("sesame"), "{printed}");
    }
}
