//! Options of a file that are one text, or a list of several.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::Secret;

/// A text or several.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let secrets = deserializer.deserialize_any(Texts)?;
    Ok(Some(secrets.iter().map(|text| text.reveal().to_owned()).collect()))
}

/// The same where it holds secrets: as one, a line each.
pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    let secrets = deserializer.deserialize_any(Texts)?;
    let lines: Vec<_> = secrets.iter().map(Secret::reveal).collect();
    Ok(Some((&*lines.join("\n")).into()))
}

/// For anything else it says what is missing, not what was there.
struct Texts;

const QUOTED: &str = "it must be a text in quotes, or a list of such";

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<Secret>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes, or a list of such")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![text.into()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<Secret>()? {
            texts.push(text);
        }
        Ok(texts)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(E::custom(QUOTED))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom(QUOTED))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(QUOTED))
    }
}
