//! Any bytes from Redis must decode or be refused. The first byte is the schema, then a key up to a
//! line break, then the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((schema, rest)) = input.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (key, bytes) =
        (String::from_utf8_lossy(&rest[..end]), rest.get(end + 1..).unwrap_or_default());
    strata_cache::fuzzing::decodes(bytes, &key, u16::from(*schema));
});
