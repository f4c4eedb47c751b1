/// How often an exact LRU of each capacity would have answered: the requests whose key was among
/// the last so many. One pass over the requests for all capacities (Mattson's stack distances,
/// counted in a Fenwick tree).
pub(super) fn hits(requests: &[u32], n_keys: u32, capacities: &[u64]) -> Vec<u64> {
    let mut last: Vec<usize> = vec![0; n_keys as usize + 1];
    let mut newest = Marks(vec![0; requests.len() + 1]);
    let mut hits = vec![0; capacities.len()];
    for (key, now) in requests.iter().zip(1..) {
        let before = std::mem::replace(&mut last[*key as usize], now);
        if before > 0 {
            // Keys asked for since then, and this one.
            let distance = newest.up_to(now - 1) - newest.up_to(before) + 1;
            for (hits, capacity) in hits.iter_mut().zip(capacities) {
                *hits += u64::from(distance <= *capacity);
            }
            newest.add(before, -1);
        }
        newest.add(now, 1);
    }
    hits
}

/// Marks the newest request of each key; counts marks up to a place, from 1.
struct Marks(Vec<i64>);

impl Marks {
    fn add(&mut self, mut place: usize, value: i64) {
        while let Some(sum) = self.0.get_mut(place) {
            *sum += value;
            place += place & place.wrapping_neg();
        }
    }

    fn up_to(&self, mut place: usize) -> u64 {
        let mut sum = 0;
        while place > 0 {
            sum += self.0[place];
            place &= place - 1;
        }
        sum.cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    // As simple as it is slow.
    fn simulated(requests: &[u32], capacity: u64) -> u64 {
        let mut newest_first: Vec<u32> = Vec::new();
        let mut hits = 0;
        for key in requests {
            if let Some(at) = newest_first.iter().position(|kept| kept == key) {
                newest_first.remove(at);
                hits += 1;
            }
            newest_first.insert(0, *key);
            newest_first.truncate(capacity as usize);
        }
        hits
    }

    #[test]
    fn it_agrees_with_a_list_that_is_kept_in_order() {
        let mut random = Random::new(3);
        let requests: Vec<u32> = (0..2_000).map(|_| random.below(100) as u32 + 1).collect();
        let capacities = [1, 2, 10, 50, 99, 100];
        let expected: Vec<u64> = capacities.iter().map(|n| simulated(&requests, *n)).collect();
        assert_eq!(hits(&requests, 100, &capacities), expected);
        assert_eq!(expected.last(), Some(&1_900), "each key is loaded once");
    }
}
