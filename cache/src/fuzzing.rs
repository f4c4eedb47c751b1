//! What the fuzz targets in `cache/fuzz` reach of what is private.

use crate::l2::Envelope;

/// Whether bytes from L2 are an entry of the key.
pub fn decodes(bytes: &[u8], key: &str, schema: u16) -> bool {
    Envelope::decode(bytes, key, schema).is_ok()
}
