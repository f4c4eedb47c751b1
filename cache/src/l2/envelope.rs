//! How an entry is written in Redis.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic `STR1` |
//! | 1 | flags: bit 0 = a remembered "not found" |
//! | 2 | schema version of the value |
//! | 8 | created, milliseconds since the epoch |
//! | 8 | fresh until, milliseconds since the epoch; 0 = invalidated softly |
//! | 4 | what the load cost, microseconds |
//! | 4 | CRC-32 of all other bytes but "fresh until" |
//! | 2 + n | the key, so that a mixed-up answer is noticed |
//! | rest | the value as JSON, readable in redis-cli |
//!
//! Numbers are big-endian. "Fresh until" stands outside the checksum because a soft invalidation
//! overwrites it in place. Redis's own deadline is later by the grace in which a stale entry may
//! stand in. Whatever does not decode is a miss, counted, and overwritten.

/// Starts every entry, and nothing else that Strata writes.
pub(crate) const MAGIC: &[u8; 4] = b"STR1";

/// How long the fixed part is. No two writes of a key share it: it holds time and checksum.
pub(crate) const HEADER: usize = 33;

/// Where "fresh until" stands.
pub(crate) const FRESH_AT: usize = 15;

const CRC_AT: usize = 27;
const NEGATIVE: u8 = 1;

/// An entry as it lies in L2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) schema: u16,
    pub(crate) created_ms: u64,
    pub(crate) fresh_until_ms: u64,
    pub(crate) load_us: u32,
    /// The value as JSON; `None` is a remembered "not found".
    pub(crate) value: Option<&'a [u8]>,
}

/// Bytes that are no entry of this key and schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl<'a> Envelope<'a> {
    pub(crate) fn encode(&self, key: &str) -> Vec<u8> {
        let key = key.as_bytes();
        let key_len = u16::try_from(key.len()).unwrap_or(u16::MAX);
        let value = self.value.unwrap_or_default();
        let mut out = Vec::with_capacity(HEADER + key.len() + value.len());
        out.extend_from_slice(MAGIC);
        out.push(if self.value.is_none() { NEGATIVE } else { 0 });
        out.extend_from_slice(&self.schema.to_be_bytes());
        out.extend_from_slice(&self.created_ms.to_be_bytes());
        out.extend_from_slice(&self.fresh_until_ms.to_be_bytes());
        out.extend_from_slice(&self.load_us.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&key_len.to_be_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(value);
        let crc = checksum(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
        out
    }

    /// When the entry that begins like this was created and until when it is fresh; `None` where
    /// it is no entry. Trusts the bytes, so for listings only.
    pub(crate) fn times(head: &[u8]) -> Option<(u64, u64)> {
        let is_entry = head.len() >= HEADER && &head[..4] == MAGIC;
        let at = |at| Some(u64::from_be_bytes(part(head, at).ok()?));
        if is_entry { Some((at(7)?, at(FRESH_AT)?)) } else { None }
    }

    pub(crate) fn decode(bytes: &'a [u8], key: &str, schema: u16) -> Result<Self, Unreadable> {
        if bytes.len() < HEADER || &bytes[..4] != MAGIC {
            return Err(Unreadable);
        }
        let found = Self {
            schema: u16::from_be_bytes(part(bytes, 5)?),
            created_ms: u64::from_be_bytes(part(bytes, 7)?),
            fresh_until_ms: u64::from_be_bytes(part(bytes, FRESH_AT)?),
            load_us: u32::from_be_bytes(part(bytes, 23)?),
            value: None,
        };
        let crc = u32::from_be_bytes(part(bytes, CRC_AT)?);
        let key_len = usize::from(u16::from_be_bytes(part(bytes, 31)?));
        let echo = bytes.get(HEADER..HEADER + key_len).ok_or(Unreadable)?;
        if found.schema != schema || echo != key.as_bytes() || crc != checksum(bytes) {
            return Err(Unreadable);
        }
        let value = &bytes[HEADER + key_len..];
        match bytes[4] {
            0 => Ok(Self { value: Some(value), ..found }),
            NEGATIVE if value.is_empty() => Ok(found),
            _ => Err(Unreadable),
        }
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Unreadable> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or(Unreadable)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..FRESH_AT]);
    hasher.update(&bytes[FRESH_AT + 8..CRC_AT]);
    hasher.update(&bytes[CRC_AT + 4..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn envelope(value: Option<&[u8]>) -> Envelope<'_> {
        Envelope { schema: 3, created_ms: 17, fresh_until_ms: 99, load_us: 5, value }
    }

    #[test]
    fn an_entry_survives_the_round_trip() {
        for value in [Some(&b"{\"a\":1}"[..]), Some(&b""[..]), None] {
            let bytes = envelope(value).encode("user:1");
            assert_eq!(Envelope::decode(&bytes, "user:1", 3), Ok(envelope(value)));
        }
    }

    #[test]
    fn another_key_another_schema_and_truncation_are_unreadable() {
        let bytes = envelope(Some(b"{}")).encode("user:1");
        assert!(Envelope::decode(&bytes, "user:2", 3).is_err());
        assert!(Envelope::decode(&bytes, "user:1", 4).is_err());
        for end in 0..bytes.len() {
            assert!(Envelope::decode(&bytes[..end], "user:1", 3).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn gibberish_never_decodes_and_never_panics(bytes: Vec<u8>, key: String) {
            prop_assert!(Envelope::decode(&bytes, &key, 3).is_err());
        }

        #[test]
        fn one_flipped_bit_is_noticed(bit in 0usize..8 * 40, value in ".{1,20}") {
            let mut bytes = envelope(Some(value.as_bytes())).encode("user:1");
            let bit = bit % (bytes.len() * 8);
            prop_assume!(!(FRESH_AT..FRESH_AT + 8).contains(&(bit / 8)));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Envelope::decode(&bytes, "user:1", 3).is_err());
        }
    }
}
