use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

/// The recorder's facts about a key. An entry in L1 carries its key's label. With it, a hit is
/// counted in its group, and excluded from the simulation if necessary, without computing a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(super) group: u8,
    /// 32 bits of the key's hash. Keys below a threshold are simulated.
    pub(super) sample: u32,
}

impl Label {
    /// The label of a read without a key, which is never simulated.
    pub(crate) const KEYLESS: Self = Self { group: 0, sample: u32::MAX };

    /// The label of a key without a group of its own.
    pub(crate) fn ungrouped(hash: u64) -> Self {
        Self::new(0, hash)
    }

    pub(super) fn new(group: u8, hash: u64) -> Self {
        Self { group, sample: (hash >> 32) as u32 }
    }
}

/// A key's hash for sampling and sketches; the same in every process.
pub(crate) fn hash_of(key: &(impl Hash + ?Sized)) -> u64 {
    Hashing::default().hash_one(key)
}

pub(super) type Hashing = BuildHasherDefault<KeyHasher>;

/// A hasher that is fast rather than safe against chosen keys, which can only spoil a statistic.
/// Multiply and fold, as wyhash does (Wang Yi, "Modern non-cryptographic hash function and
/// pseudorandom number generator", 2021).
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl KeyHasher {
    fn add(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db);
    }
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
        self.add(bytes.len() as u64);
    }

    fn write_u8(&mut self, n: u8) {
        self.add(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.add(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.add(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.add(n as u64);
    }

    fn finish(&self) -> u64 {
        fold(self.0 ^ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixteenth_of_the_keys_is_below_a_sixteenth_of_the_hashes() {
        let below = |key: &dyn Fn(u32) -> String| {
            (0..100_000).filter(|n| Label::new(0, hash_of(&key(*n))).sample < u32::MAX / 16).count()
        };
        let texts = below(&|n| format!("author:{n}:page:1"));
        assert!((6_000..6_500).contains(&texts), "{texts}");
        let numbers = (0..100_000_u64)
            .filter(|n| Label::new(0, hash_of(&(n * 8))).sample < u32::MAX / 16)
            .count();
        assert!((6_000..6_500).contains(&numbers), "{numbers}");
    }
}
