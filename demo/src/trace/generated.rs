use super::Recording;
use super::store::TraceSummary;
use crate::random::Random;
use crate::traffic::Zipf;

/// A trace that is made up: the same requests on every machine.
pub(super) struct Generated {
    pub(super) id: &'static str,
    title: &'static str,
    what: &'static str,
    make: fn() -> Vec<u64>,
}

/// All of them.
pub(super) static GENERATED: [Generated; 3] = [
    Generated {
        id: "zipf",
        title: "Zipf (made up)",
        what: "30 000 requests for 5 000 keys, few of them popular, as on the web",
        make: zipf,
    },
    Generated {
        id: "scan",
        title: "Scan over a hot set (made up)",
        what: "500 popular keys, and now and then 2 000 that are read once and never again",
        make: scan,
    },
    Generated {
        id: "loop",
        title: "Loop (made up)",
        what: "500 keys, one after the other, 40 times",
        make: round_and_round,
    },
];

impl Generated {
    pub(super) fn summary(&self) -> TraceSummary {
        let [id, title, what] = [self.id, self.title, self.what].map(str::to_owned);
        TraceSummary { id, title, what }
    }

    pub(super) fn make(&self) -> Recording {
        Recording::of_numbers(self.id, self.title, (self.make)().into_iter())
    }
}

fn zipf() -> Vec<u64> {
    popular(5_000).take(30_000).collect()
}

fn scan() -> Vec<u64> {
    const N_HOT: u64 = 500;
    const SCANNED: u64 = 2_000;
    let mut hot = popular(N_HOT);
    let mut requests = Vec::new();
    for turn in 0..5 {
        requests.extend(hot.by_ref().take(4_000));
        let first = N_HOT + 1 + turn * SCANNED;
        requests.extend(first..first + SCANNED);
    }
    requests
}

fn round_and_round() -> Vec<u64> {
    (0..40).flat_map(|_| 1..=500).collect()
}

fn popular(n_keys: u64) -> impl Iterator<Item = u64> {
    let zipf = Zipf::new(n_keys, 0.9);
    let mut random = Random::new(1);
    std::iter::repeat_with(move || zipf.sample(&mut random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_is_what_its_words_say() {
        let sizes = GENERATED.each_ref().map(|generated| {
            let recording = generated.make();
            (generated.id, recording.requests.len(), recording.n_keys)
        });
        let [(_, 30_000, zipf_keys), scan, ring] = sizes else { panic!("{sizes:?}") };
        assert!((3_500..=5_000).contains(&zipf_keys), "not every key is asked for: {zipf_keys}");
        assert!((scan.1, ring) == (30_000, ("loop", 20_000, 500)), "{scan:?} {ring:?}");
        assert!((10_450..=10_500).contains(&scan.2), "{scan:?}");
    }
}
