use crate::random::Random;

const WORDS: [&str; 32] = [
    "the", "river", "lays", "down", "sand", "and", "clay", "in", "layers", "over", "older", "rock",
    "where", "water", "sinks", "until", "one", "of", "them", "holds", "it", "each", "flood",
    "leaves", "a", "line", "that", "tells", "when", "how", "much", "remained",
];

/// `n_bytes` of sentences in ASCII; the last one is cut.
pub(super) fn prose(random: &mut Random, n_bytes: usize) -> String {
    let mut text = String::with_capacity(n_bytes + 100);
    while text.len() < n_bytes {
        push_words(&mut text, random, 10);
        text.push_str(". ");
    }
    text.truncate(n_bytes);
    text
}

/// One line of up to 12 words, the first with a capital.
pub(super) fn line(random: &mut Random, n_words: usize) -> String {
    let mut text = String::new();
    push_words(&mut text, random, n_words);
    text
}

// One draw chooses up to twelve words of five bits each.
fn push_words(text: &mut String, random: &mut Random, n_words: usize) {
    let start = text.len();
    let mut bits = random.next_u64();
    for n in 0..n_words.min(12) {
        if n > 0 {
            text.push(' ');
        }
        text.push_str(WORDS[(bits & 31) as usize]);
        bits >>= 5;
    }
    if let Some(first) = text.get_mut(start..start + 1) {
        first.make_ascii_uppercase();
    }
}
