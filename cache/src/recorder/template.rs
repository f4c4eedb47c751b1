use crate::error::BuildError;

/// The form of a key group's keys: `author:{id}` or `{id}:page:{n}`.
#[derive(Debug)]
pub(crate) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// One or more characters other than `:` and `/`.
    Placeholder,
}

impl Template {
    /// The longest template, bytes.
    const MAX_BYTES: usize = 64;

    /// Reads a template. Each `{name}` stands for one or more characters other than `:` and `/`.
    /// All other characters are literal.
    pub(super) fn parse(text: &str) -> Result<Self, BuildError> {
        let bad = || BuildError::BadTemplate(text.to_owned());
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(bad());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let literal = rest.find(['{', '}']).unwrap_or(rest.len());
            if literal > 0 {
                parts.push(Part::Literal(rest[..literal].to_owned()));
            }
            rest = &rest[literal..];
            if rest.is_empty() {
                break;
            }
            let (name, tail) =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or_else(bad)?;
            // Two placeholders in a row could share their characters in many ways.
            if name.contains('{') || parts.last() == Some(&Part::Placeholder) {
                return Err(bad());
            }
            parts.push(Part::Placeholder);
            rest = tail;
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, key: &str) -> bool {
        matches(&self.parts, key)
    }
}

fn matches(parts: &[Part], key: &str) -> bool {
    match parts {
        [] => key.is_empty(),
        [Part::Literal(literal), rest @ ..] => {
            key.strip_prefix(literal.as_str()).is_some_and(|key| matches(rest, key))
        }
        [Part::Placeholder, rest @ ..] => {
            let end = key.find([':', '/']).unwrap_or(key.len());
            match rest {
                [] => end > 0 && end == key.len(),
                // The shortest stretch that lets the rest match. A placeholder's characters are
                // restricted.
                rest => key[..end].char_indices().any(|(at, c)| {
                    let after = at + c.len_utf8();
                    matches(rest, &key[after..])
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn a_placeholder_stands_for_one_part_of_a_key() {
        let author = template("author:{id}");
        assert!(author.matches("author:17") && author.matches("author:ünal"));
        assert!(!author.matches("author:") && !author.matches("author:17:page:2"));
        assert!(!author.matches("authors:17") && !author.matches("author:17/posts"));
        let page = template("{id}:page:{n}");
        assert!(page.matches("17:page:2") && !page.matches("17:page:"));
        assert!(
            template("v{n}.json").matches("v1.json") && !template("v{n}.json").matches("v.json")
        );
        assert!(template("{a}-{b}").matches("x-y-z"));
        assert!(template("all").matches("all") && !template("all").matches("al"));
    }

    #[test]
    fn malformed_templates_are_refused() {
        for text in ["", "{", "}", "a{b", "a}b", "{a{b}}", "{a}{b}", &"x".repeat(65)] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
