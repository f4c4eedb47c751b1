//! The binary form of an entry in Redis.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic `STR2`: Strata, format 2 |
//! | 1 | flags: bit 0 = a remembered "not found", bit 1 = postcard, bit 2 = LZ4 |
//! | 2 | schema version of the value |
//! | 8 | created, milliseconds since the epoch |
//! | 8 | fresh until, milliseconds since the epoch; 0 = invalidated softly |
//! | 8 | expires, milliseconds since the epoch: fresh until and the grace after it |
//! | 4 | what the load cost, microseconds |
//! | 8 | row version; 0 = none |
//! | 8 | stamp: the last number of the bus that was heard before the load began |
//! | 4 | CRC-32 of all other bytes but "fresh until" |
//! | 2 + n | the key, so that a mixed-up answer is noticed |
//! | 1 + n × (1 + m) | the tags |
//! | rest | the value, JSON unless a flag says otherwise |
//!
//! Numbers are big-endian. "Fresh until" is outside the checksum because a soft invalidation
//! overwrites it in place. Bytes that do not decode are a miss, counted, and overwritten.

/// The first bytes of every entry, and of nothing else that Strata writes.
pub(crate) const MAGIC: &[u8; 4] = b"STR2";

/// The length of the fixed part. Two writes of a key differ in it, since it has time and checksum.
pub(crate) const HEADER: usize = 57;

/// The offset of "fresh until".
pub(crate) const FRESH_AT: usize = 15;

/// The offset of the row version.
pub(crate) const VERSION_AT: usize = 35;

/// A key with a longer text, in bytes, is not kept in L2.
pub(crate) const MAX_KEY_BYTES: usize = 1_024;

/// The limits for the number of tags of one entry, and for the bytes of one tag.
pub(crate) const MAX_ENTRY_TAGS: usize = u8::MAX as usize;

pub(crate) const MAX_TAG_BYTES: usize = u8::MAX as usize;

const CRC_AT: usize = 51;

const NEGATIVE: u8 = 0b001;

const KNOWN_FLAGS: u8 = 0b111;

/// An entry as it lies in L2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) schema: u16,
    pub(crate) created_ms: u64,
    pub(crate) fresh_until_ms: u64,
    pub(crate) expires_ms: u64,
    pub(crate) load_us: u32,
    pub(crate) version: u64,
    pub(crate) stamp: u64,
    pub(crate) tags: Vec<&'a str>,
    /// The value's flags and bytes; `None` is a remembered "not found".
    pub(crate) value: Option<(u8, &'a [u8])>,
}

/// The bytes are not an entry of this key and schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl<'a> Envelope<'a> {
    /// The entry's bytes. The caller ensures the limits for key and tags.
    pub(crate) fn encode(&self, key: &str) -> Vec<u8> {
        let (flags, value) = self.value.unwrap_or((NEGATIVE, &[]));
        let mut out = Vec::with_capacity(HEADER + key.len() + 64 + value.len());
        out.extend_from_slice(MAGIC);
        out.push(flags);
        out.extend_from_slice(&self.schema.to_be_bytes());
        for number in [self.created_ms, self.fresh_until_ms, self.expires_ms] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.load_us.to_be_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.stamp.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(key.as_bytes());
        out.push(u8::try_from(self.tags.len()).unwrap_or(u8::MAX));
        for tag in &self.tags {
            out.push(u8::try_from(tag.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(tag.as_bytes());
        }
        out.extend_from_slice(value);
        let crc = checksum(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
        out
    }

    /// When the entry with this header was created and until when it is fresh. `None` if it is not
    /// an entry. Does not verify the checksum, so use it for listings only.
    pub(crate) fn times(head: &[u8]) -> Option<(u64, u64)> {
        let is_entry = head.len() >= HEADER && &head[..4] == MAGIC;
        let at = |at| Some(u64::from_be_bytes(part(head, at).ok()?));
        if is_entry { Some((at(7)?, at(FRESH_AT)?)) } else { None }
    }

    pub(crate) fn decode(bytes: &'a [u8], key: &str, schema: u16) -> Result<Self, Unreadable> {
        if bytes.len() < HEADER || &bytes[..4] != MAGIC || bytes[4] & !KNOWN_FLAGS != 0 {
            return Err(Unreadable);
        }
        let crc = u32::from_be_bytes(part(bytes, CRC_AT)?);
        // A fuzzer would never get past the checksum.
        let is_whole = cfg!(fuzzing) || crc == checksum(bytes);
        if schema != u16::from_be_bytes(part(bytes, 5)?) || !is_whole {
            return Err(Unreadable);
        }
        let mut rest = &bytes[HEADER..];
        let echo = take(&mut rest, usize::from(u16::from_be_bytes(part(bytes, CRC_AT + 4)?)))?;
        if echo != key.as_bytes() {
            return Err(Unreadable);
        }
        let tags = tags(&mut rest)?;
        let value = match bytes[4] {
            NEGATIVE if rest.is_empty() => None,
            flags if flags & NEGATIVE == 0 => Some((flags, rest)),
            _ => return Err(Unreadable),
        };
        Ok(Self {
            schema,
            created_ms: number(bytes, 7)?,
            fresh_until_ms: number(bytes, FRESH_AT)?,
            expires_ms: number(bytes, 23)?,
            load_us: u32::from_be_bytes(part(bytes, 31)?),
            version: number(bytes, VERSION_AT)?,
            stamp: number(bytes, 43)?,
            tags,
            value,
        })
    }
}

fn tags<'a>(rest: &mut &'a [u8]) -> Result<Vec<&'a str>, Unreadable> {
    let n_tags = take(rest, 1)?[0];
    let tag = |_| {
        let length = usize::from(take(rest, 1)?[0]);
        std::str::from_utf8(take(rest, length)?).map_err(|_| Unreadable)
    };
    (0..n_tags).map(tag).collect()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Unreadable)?;
    *rest = left;
    Ok(taken)
}

fn number(bytes: &[u8], at: usize) -> Result<u64, Unreadable> {
    Ok(u64::from_be_bytes(part(bytes, at)?))
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

    fn envelope<'a>(value: Option<&'a [u8]>, tags: &[&'a str]) -> Envelope<'a> {
        Envelope {
            schema: 3,
            created_ms: 17,
            fresh_until_ms: 99,
            expires_ms: 120,
            load_us: 5,
            version: 1 << 60,
            stamp: 1_763_000_000_000_000,
            tags: tags.to_vec(),
            value: value.map(|value| (0, value)),
        }
    }

    #[test]
    fn an_entry_survives_the_round_trip() {
        for value in [Some(&b"{\"a\":1}"[..]), Some(&b""[..]), None] {
            for tags in [&[][..], &["author:7"], &["", "ß", "a:b"]] {
                let bytes = envelope(value, tags).encode("user:1");
                assert_eq!(Envelope::decode(&bytes, "user:1", 3), Ok(envelope(value, tags)));
            }
        }
    }

    #[test]
    fn another_key_another_schema_and_truncation_are_unreadable() {
        let bytes = envelope(Some(b"{}"), &["a", "b"]).encode("user:1");
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
        fn one_flipped_bit_is_noticed(bit in 0usize..8 * 80, value in ".{1,20}") {
            let mut bytes = envelope(Some(value.as_bytes()), &["tag"]).encode("user:1");
            let bit = bit % (bytes.len() * 8);
            prop_assume!(!(FRESH_AT..FRESH_AT + 8).contains(&(bit / 8)));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Envelope::decode(&bytes, "user:1", 3).is_err());
        }
    }
}
