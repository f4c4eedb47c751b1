use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

const POSTCARD: u8 = 0b010;
const LZ4: u8 = 0b100;

/// How L2 writes values. Entries say which they are of, so a cache reads both whatever it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// JSON: readable in redis-cli, and by other versions of the program where fields were added.
    #[default]
    Json,
    /// postcard: less than half the size and a third of the time to read, but it does not describe
    /// itself. Raise [`schema`](crate::CacheBuilder::schema) with every change of the value's form.
    Postcard,
}

/// A value's form in L2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) codec: Codec,
    /// Values longer than this are compressed.
    pub(crate) compress_above: Option<usize>,
    /// Values longer than this are not kept, nor read.
    pub(crate) max_bytes: usize,
}

/// A value's bytes, and how they are to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) flags: u8,
    pub(crate) bytes: Vec<u8>,
}

/// Why a value is not kept in L2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("write it as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("write it as postcard: {0}")]
    Postcard(#[from] postcard::Error),
    #[error("write it: it panicked")]
    Panicked,
    #[error("keep {0} bytes: it is longer than the limit")]
    TooLong(usize),
}

impl Form {
    /// Code of the value's own runs here; where it panics, the value is unfit.
    pub(crate) fn encode(&self, value: &impl Serialize) -> Result<Encoded, Unfit> {
        catch_unwind(AssertUnwindSafe(|| self.written(value))).unwrap_or(Err(Unfit::Panicked))
    }

    fn written(&self, value: &impl Serialize) -> Result<Encoded, Unfit> {
        let (mut flags, mut bytes) = match self.codec {
            Codec::Json => (0, serde_json::to_vec(value)?),
            Codec::Postcard => (POSTCARD, postcard::to_stdvec(value)?),
        };
        if bytes.len() > self.max_bytes {
            return Err(Unfit::TooLong(bytes.len()));
        }
        if self.compress_above.is_some_and(|above| bytes.len() > above) {
            let packed = lz4_flex::compress_prepend_size(&bytes);
            // What does not shrink costs its reader time for nothing.
            if packed.len() < bytes.len() {
                (flags, bytes) = (flags | LZ4, packed);
            }
        }
        Ok(Encoded { flags, bytes })
    }

    /// The value; `None` where the bytes are none, or reading them panics.
    pub(crate) fn decode<V: DeserializeOwned>(&self, flags: u8, bytes: &[u8]) -> Option<V> {
        catch_unwind(AssertUnwindSafe(|| self.read(flags, bytes))).ok().flatten()
    }

    /// As [`Form::decode`], with the panics of the value's own code.
    pub(crate) fn read<V: DeserializeOwned>(&self, flags: u8, bytes: &[u8]) -> Option<V> {
        let unpacked;
        let bytes = if flags & LZ4 == 0 {
            bytes
        } else {
            let (length, _) = bytes.split_first_chunk::<4>()?;
            // The length comes from outside: memory is not given on its word alone.
            if u32::from_le_bytes(*length) as usize > self.max_bytes {
                return None;
            }
            unpacked = lz4_flex::decompress_size_prepended(bytes).ok()?;
            &unpacked
        };
        if flags & POSTCARD == 0 {
            return serde_json::from_slice(bytes).ok();
        }
        let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form { codec: Codec::Json, compress_above: None, max_bytes: 10_000 };
    const POSTCARDS: Form = Form { codec: Codec::Postcard, ..FORM };
    const PACKED: Form = Form { compress_above: Some(100), ..POSTCARDS };

    fn value() -> Vec<(u64, String)> {
        (0..100).map(|n| (n, "the same again".to_owned())).collect()
    }

    #[test]
    fn a_value_survives_the_round_trip_in_every_form() {
        for form in [FORM, POSTCARDS, PACKED, Form { compress_above: Some(0), ..FORM }] {
            let Encoded { flags, bytes } = form.encode(&value()).unwrap();
            assert_eq!(FORM.decode(flags, &bytes), Some(value()), "{form:?}");
        }
    }

    #[test]
    fn repetition_is_compressed_above_the_threshold_only() {
        let plain = POSTCARDS.encode(&value()).unwrap().bytes.len();
        assert!(PACKED.encode(&value()).unwrap().bytes.len() < plain / 3);
        assert_eq!(PACKED.encode(&7).unwrap(), POSTCARDS.encode(&7).unwrap());
    }

    #[test]
    fn what_does_not_shrink_is_left_as_it_is() {
        let noise: Vec<u64> =
            (1..200).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        assert_eq!(PACKED.encode(&noise).unwrap().flags, POSTCARD);
    }

    #[test]
    fn a_value_above_the_limit_is_not_kept_and_not_unpacked() {
        let small = Form { max_bytes: 100, ..PACKED };
        assert!(matches!(small.encode(&value()), Err(Unfit::TooLong(1600..))));
        let Encoded { flags, bytes } = PACKED.encode(&value()).unwrap();
        assert_eq!(small.decode::<Vec<(u64, String)>>(flags, &bytes), None);
    }

    #[test]
    fn bytes_after_the_value_are_no_value() {
        let Encoded { flags, mut bytes } = POSTCARDS.encode(&7u64).unwrap();
        bytes.push(0);
        assert_eq!(POSTCARDS.decode::<u64>(flags, &bytes), None);
    }
}
