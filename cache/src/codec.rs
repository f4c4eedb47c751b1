#[cfg(debug_assertions)]
mod fingerprint;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

const POSTCARD: u8 = 0b010;

const LZ4: u8 = 0b100;

/// How L2 stores values. Each entry names its codec, so a cache reads both, whichever it writes.
///
/// Some values do not survive encoding. A reader that is answered from L2 then gets a different
/// value than a reader for which it was loaded:
///
/// - JSON writes `Some(None)` as `null`, which reads back as `None`. It writes infinities and NaN
///   as `null`, which cannot be read as a number. It has no maps whose keys are neither texts nor
///   numbers: such values are kept in L1 only, and counted as unfit. The last digit of a float may
///   differ.
/// - postcard cannot leave out fields (`skip_serializing_if`), nor read `untagged`, `flatten` or
///   `serde_json::Value`.
/// - With both, a field that is skipped reads back as its default.
///
/// Debug builds decode some values after encoding them: the first ones of each cache and one in 64.
/// If a value changed, the log says so, at most once a minute. This check cannot see skipped
/// fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// JSON: readable in redis-cli, and by versions of the program that only added fields.
    #[default]
    Json,
    /// postcard: less than half the size and a third of the time to read. It is not
    /// self-describing, so raise [`schema`](crate::CacheBuilder::schema) with every change of the
    /// value's form.
    Postcard,
}

/// A value's form in L2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) codec: Codec,
    /// Values longer than this are compressed.
    pub(crate) compress_above: Option<usize>,
    /// Values longer than this are neither stored nor read.
    pub(crate) max_bytes: usize,
}

/// A value's bytes, and how to read them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Encoded {
    pub(crate) flags: u8,
    pub(crate) bytes: Vec<u8>,
}

/// Why a value is not kept in L2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("write it as JSON")]
    Json(#[from] serde_json::Error),
    #[error("write it as postcard")]
    Postcard(#[from] postcard::Error),
    #[error("write it: it panicked")]
    Panicked,
    #[error("keep {0} bytes: it is longer than the limit")]
    TooLong(usize),
}

impl Form {
    /// Whether a value is unchanged by encoding and decoding. The order of elements in sequences
    /// and skipped fields are ignored. For debug builds only: it costs more than writing.
    #[cfg(debug_assertions)]
    pub(crate) fn gives_back<V: Serialize + DeserializeOwned>(
        &self,
        value: &V,
        encoded: &Encoded,
    ) -> bool {
        use fingerprint::Fingerprint;

        let printer = Fingerprint { is_human_readable: encoded.flags & POSTCARD == 0 };
        let compare = || {
            let read: Option<V> = self.read(encoded.flags, &encoded.bytes);
            let print = |value: &V| value.serialize(printer).ok();
            print(value).is_some_and(|before| read.as_ref().and_then(print) == Some(before))
        };
        catch_unwind(AssertUnwindSafe(compare)).unwrap_or(false)
    }

    /// Runs the value's own code. If that panics, the value is unfit.
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
            // If LZ4 does not shrink the bytes, unpacking would cost readers time for nothing.
            if packed.len() < bytes.len() {
                (flags, bytes) = (flags | LZ4, packed);
            }
        }
        Ok(Encoded { flags, bytes })
    }

    /// The value. `None` if the bytes are not a value, or reading them panics.
    pub(crate) fn decode<V: DeserializeOwned>(&self, flags: u8, bytes: &[u8]) -> Option<V> {
        catch_unwind(AssertUnwindSafe(|| self.read(flags, bytes))).ok().flatten()
    }

    /// As [`Form::decode`], but lets panics of the value's own code through.
    pub(crate) fn read<V: DeserializeOwned>(&self, flags: u8, bytes: &[u8]) -> Option<V> {
        let unpacked;
        let bytes = if flags & LZ4 == 0 {
            bytes
        } else {
            let (length, _) = bytes.split_first_chunk::<4>()?;
            // The length is untrusted input, so it must not alone decide how much memory is
            // allocated.
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

    fn gives_back<V: Serialize + DeserializeOwned>(value: V) -> [bool; 2] {
        [FORM, POSTCARDS].map(|form| form.gives_back(&value, &form.encode(&value).unwrap()))
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_value_that_does_not_read_back_as_it_was_is_noticed() {
        assert_eq!(gives_back(Some(None::<u64>)), [false, true]);
        assert_eq!(gives_back(f64::INFINITY), [false, true]);
        assert_eq!(gives_back(vec![1.0, f64::NAN]), [false, true]);
        assert_eq!(gives_back(Some(f32::NEG_INFINITY)), [false, true]);
        let json: serde_json::Value = serde_json::json!({"a": [1, null]});
        assert_eq!(gives_back(json), [true, false]);
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_value_that_reads_back_in_another_order_is_no_false_alarm() {
        use std::collections::{BTreeMap, HashMap, HashSet};
        let map: HashMap<String, Option<f64>> =
            (0..100).map(|n: i32| (n.to_string(), Some(f64::from(n) / 7.0))).collect();
        assert_eq!(gives_back(map), [true, true]);
        let sets: BTreeMap<u8, HashSet<String>> =
            (0..9).map(|n| (n, (0..50).map(|n: u8| n.to_string()).collect())).collect();
        assert_eq!(gives_back(sets), [true, true]);
        type Nested = (Option<Option<u8>>, Result<(), String>, char, [i64; 3], Vec<Option<()>>);
        let nested: Nested = (Some(Some(1)), Err("no".to_owned()), 'x', [1, -2, 3], vec![None]);
        assert_eq!(gives_back(nested), [true, true]);
        assert_eq!(gives_back(0.1_f32 + 0.2), [true, true]);
    }

    #[test]
    fn bytes_after_the_value_are_no_value() {
        let Encoded { flags, mut bytes } = POSTCARDS.encode(&7u64).unwrap();
        bytes.push(0);
        assert_eq!(POSTCARDS.decode::<u64>(flags, &bytes), None);
    }
}
