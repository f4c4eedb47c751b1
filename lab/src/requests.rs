use strata_demo::{Random, Zipf};

use super::Settings;

/// One request to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Read(u64),
    Write(u64),
}

/// The requests of a seed: the same ones for every strategy and on every machine.
pub(super) fn requests(settings: &Settings) -> impl Iterator<Item = Request> + use<> {
    let zipf = Zipf::new(settings.items, settings.skew);
    let mut random = Random::new(settings.seed);
    let write_share = settings.write_share;
    (0..settings.requests).map(move |_| {
        let id = zipf.sample(&mut random);
        if random.unit() < write_share { Request::Write(id) } else { Request::Read(id) }
    })
}

/// Requests for these items, one after the other; some of them change the item instead.
pub(super) fn recorded(settings: &Settings, ids: &[u32]) -> Vec<Request> {
    let mut random = Random::new(settings.seed);
    let write_share = settings.write_share;
    let request = |id: &u32| {
        let id = u64::from(*id);
        if random.unit() < write_share { Request::Write(id) } else { Request::Read(id) }
    };
    ids.iter().map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_requests_again() {
        let settings = Settings { write_share: 0.5, ..Settings::default() };
        let other = Settings { seed: 2, ..settings.clone() };
        let all = |settings| requests(settings).collect::<Vec<_>>();
        assert_eq!(all(&settings), all(&settings));
        assert_ne!(all(&settings), all(&other));
        assert_eq!(all(&settings).len(), 200);
    }
}
