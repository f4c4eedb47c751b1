//! Bytes on the wire of the fleet: JSON behind two bytes, its form and its compression.

use lz4_flex::block;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The form that this release writes.
const VERSION: u8 = 1;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// Smaller JSON is not compressed.
const COMPRESSED_ABOVE: usize = 1_024;

/// The largest card, report or reply, as JSON.
pub(super) const MAX_BYTES: usize = 256 * 1_024;

/// The largest ask.
pub(super) const MAX_ASK_BYTES: usize = 64 * 1_024;

/// Why bytes of the fleet cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// They are shorter than the two bytes that say what follows.
    #[error("read {0} bytes, which are too few")]
    TooShort(usize),
    /// They are, or would become, larger than anything that a node or console writes.
    #[error("read {bytes} bytes, which are more than the {most} that are allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// A later release wrote them.
    #[error("read form {found}: this release reads form {VERSION}, a newer one is needed")]
    Later {
        /// The form's version.
        found: u8,
    },
    /// A later release compressed them.
    #[error("read bytes compressed in the way {0}, which this release does not know")]
    Compression(u8),
    /// They do not unpack.
    #[error("unpack the bytes")]
    Packed,
    /// They are not the JSON that was expected.
    #[error("read the JSON: {0}")]
    Json(String),
    /// What they say is of a later protocol.
    #[error(
        "read fleet protocol {found}: this release speaks protocol {ours}, a newer one is needed",
        ours = strata_report::FLEET_PROTOCOL
    )]
    Protocol {
        /// The protocol.
        found: u32,
    },
}

/// Writes a value in this release's form; `None` where its JSON is larger than `most` bytes.
pub(super) fn write(value: &impl Serialize, most: usize) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(value).ok()?;
    (json.len() <= most).then(|| pack(&json))
}

fn pack(json: &[u8]) -> Vec<u8> {
    let (compression, body) = match json.len() > COMPRESSED_ABOVE {
        true => (LZ4, block::compress_prepend_size(json)),
        false => (PLAIN, json.to_vec()),
    };
    [&[VERSION, compression], &*body].concat()
}

/// Reads a value of any form that was ever released, of `most` bytes as JSON.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], most: usize) -> Result<T, FormError> {
    let too_large = |bytes| FormError::TooLarge { bytes, most };
    // What does not shrink becomes a little larger.
    if bytes.len() > most + most / 64 + 64 {
        return Err(too_large(bytes.len()));
    }
    let [version, compression, body @ ..] = bytes else {
        return Err(FormError::TooShort(bytes.len()));
    };
    if *version != VERSION {
        return Err(FormError::Later { found: *version });
    }
    let unpacked;
    let json = match *compression {
        PLAIN => body,
        LZ4 => {
            let (size, packed) = block::uncompressed_size(body).map_err(|_| FormError::Packed)?;
            if size > most {
                return Err(too_large(size));
            }
            unpacked = block::decompress(packed, size).map_err(|_| FormError::Packed)?;
            &unpacked
        }
        other => return Err(FormError::Compression(other)),
    };
    if json.len() > most {
        return Err(too_large(json.len()));
    }
    serde_json::from_slice(json).map_err(|error| FormError::Json(error.to_string()))
}

#[cfg(test)]
mod tests {
    use strata_report::{AskCounts, FleetReport, NodeCard};

    use super::*;

    fn card(n_caches: usize) -> NodeCard {
        let caches = (0..n_caches).map(|n| format!("cache-{n}")).collect();
        NodeCard { protocol: 1, node: "pod-7".to_owned(), caches, ..NodeCard::default() }
    }

    fn of<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormError> {
        read(bytes, MAX_BYTES)
    }

    #[test]
    fn a_value_is_read_as_it_was_written_and_large_ones_are_compressed() {
        let small = write(&card(1), MAX_BYTES).unwrap();
        assert_eq!((&small[..2], of(&small)), (&[1, 0][..], Ok(card(1))));
        let large = write(&card(1_000), MAX_BYTES).unwrap();
        assert_eq!((&large[..2], of(&large)), (&[1, 1][..], Ok(card(1_000))));
        assert!(large.len() < serde_json::to_vec(&card(1_000)).unwrap().len() / 2);
    }

    /// Bytes as this release wrote them. They must be readable for ever.
    #[test]
    fn what_form_1_wrote_is_read_for_ever() {
        assert_eq!(of(include_bytes!("golden/card-plain-1.bin")), Ok(card(1)));
        assert_eq!(of(include_bytes!("golden/card-packed-1.bin")), Ok(card(1_000)));
        let asks = AskCounts { repeated: 3, ..AskCounts::default() };
        let report = FleetReport { protocol: 1, beat: 7, asks, ..FleetReport::default() };
        assert_eq!(of(include_bytes!("golden/report-packed-1.bin")), Ok(report));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        type Read = Result<NodeCard, FormError>;
        let read = |bytes: &[u8]| -> Read { of(bytes) };
        assert_eq!(read(b""), Err(FormError::TooShort(0)));
        assert_eq!(read(b"\x01"), Err(FormError::TooShort(1)));
        assert_eq!(read(b"\x02\x00{}"), Err(FormError::Later { found: 2 }));
        assert_eq!(read(b"garbage"), Err(FormError::Later { found: b'g' }));
        assert_eq!(read(b"\x01\x07{}"), Err(FormError::Compression(7)));
        assert_eq!(read(b"\x01\x01\x05"), Err(FormError::Packed));
        assert_eq!(read(b"\x01\x01\x05\0\0\0junk"), Err(FormError::Packed));
        assert!(matches!(read(b"\x01\x00[1"), Err(FormError::Json(_))));
        assert!(matches!(read(b"\x01\x00{\"pid\":-1}"), Err(FormError::Json(_))));
        let deep = [b"\x01\x00".to_vec(), b"[".repeat(100_000)].concat();
        assert!(matches!(read(&deep), Err(FormError::Json(_))));
        let said = FormError::Later { found: 2 }.to_string();
        assert_eq!(said, "read form 2: this release reads form 1, a newer one is needed");
    }

    #[test]
    fn ten_megabytes_are_refused_packed_or_not() {
        let large = vec![b' '; 10 << 20];
        let plain = [b"\x01\x00", &*large].concat();
        assert!(matches!(of::<NodeCard>(&plain), Err(FormError::TooLarge { .. })));
        let packed = [b"\x01\x01", &*block::compress_prepend_size(&large)].concat();
        assert!(packed.len() < MAX_BYTES);
        let too_large = FormError::TooLarge { bytes: 10 << 20, most: MAX_BYTES };
        assert_eq!(of::<NodeCard>(&packed), Err(too_large));
        assert_eq!(write(&"x".repeat(MAX_BYTES), MAX_BYTES), None);
    }
}
