use crate::random::Random;

const WORDS: [&str; 32] = [
    "the", "river", "lays", "down", "sand", "and", "clay", "in", "layers", "over", "older", "rock",
    "where", "water", "sinks", "until", "one", "of", "them", "holds", "it", "each", "flood",
    "leaves", "a", "line", "that", "tells", "when", "how", "much", "remained",
];

/// `n_bytes` of ASCII text.
pub(super) fn prose(random: &mut Random, n_bytes: usize) -> String {
    let mut text = String::with_capacity(n_bytes + 16);
    while text.len() < n_bytes {
        // One draw chooses ten words of five bits each.
        let mut bits = random.next_u64();
        for _ in 0..10 {
            text.push_str(WORDS[(bits & 31) as usize]);
            text.push(' ');
            bits >>= 5;
        }
        text.pop();
        text.push_str(". ");
    }
    text.truncate(n_bytes);
    text
}
