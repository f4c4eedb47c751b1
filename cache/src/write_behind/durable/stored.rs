use crate::key::Value;

/// The form of an unwritten value in Redis: `version:schema:value`, the value as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) version: u64,
    pub(super) schema: u16,
    pub(super) json: &'a str,
}

/// The stored version, whether or not the rest can be read.
pub(super) fn version_text(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// The part after the version. A script may set the version.
pub(super) fn tail<V: Value>(value: &V, schema: u16) -> Result<String, serde_json::Error> {
    Ok(format!("{schema}:{}", serde_json::to_string(value)?))
}

impl<'a> Stored<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (version, rest) = text.split_once(':')?;
        let (schema, json) = rest.split_once(':')?;
        Some(Self { version: version.parse().ok()?, schema: schema.parse().ok()?, json })
    }

    /// The value as stored.
    pub(super) fn json(&self) -> &'a str {
        self.json
    }

    /// The value, or why it is not of this schema.
    pub(super) fn value<V: Value>(&self, schema: u16) -> Result<V, String> {
        if self.schema != schema {
            return Err(format!("its schema is {}, not {schema}", self.schema));
        }
        serde_json::from_str(self.json).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_the_round_trip() {
        let text = format!("17:{}", tail(&"a:b".to_owned(), 3).unwrap());
        let stored = Stored::read(&text).unwrap();
        assert_eq!((stored.version, stored.value(3)), (17, Ok("a:b".to_owned())));
    }

    #[test]
    fn another_schema_and_gibberish_are_no_value() {
        let stored = Stored::read("17:3:\"a\"").unwrap();
        assert!(stored.value::<String>(4).is_err());
        assert!(Stored::read("17:3:{").unwrap().value::<String>(3).is_err());
        for text in ["", "17", "x:3:1", "17:x:1", "17:99999:1"] {
            assert_eq!(Stored::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_version_is_found_as_the_scripts_find_it() {
        let texts = [("17:3:1", "17"), ("017x", "017"), ("x:3:1", ""), ("", ""), ("17", "17")];
        for (text, version) in texts {
            assert_eq!(version_text(text), version);
        }
    }
}
