use std::cell::Cell;

/// One get in this many is timed and has its key recorded. Doing so for each would cost more than
/// the get.
pub(crate) const SAMPLED_ONE_IN: u32 = 64;

/// Whether this thread should sample its next get.
///
/// The distance to the next sample is random, between 1 and 127. With a fixed distance, reads that
/// repeat in a cycle could have the same key sampled each time.
pub(crate) fn is_sampled() -> bool {
    thread_local!(static LEFT: Cell<u32> = const { Cell::new(1) });
    LEFT.with(|left| match left.get() {
        0 | 1 => {
            left.set(rand::random_range(1..2 * SAMPLED_ONE_IN));
            true
        }
        n => {
            left.set(n - 1);
            false
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_is_sampled_whatever_the_round() {
        let mut sampled = [0_u32; SAMPLED_ONE_IN as usize];
        for turn in 0..640_000 {
            sampled[turn % sampled.len()] += u32::from(is_sampled());
        }
        assert!((9_500..10_500).contains(&sampled.iter().sum::<u32>()));
        assert!(sampled.iter().all(|n| (60..300).contains(n)), "{sampled:?}");
    }
}
