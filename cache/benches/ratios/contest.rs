//! Contestants run in turn, in many short rounds. Other work of the machine in a round affects all
//! of them, so the median of the rounds' ratios is steady even if times are not.

use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::table::spoken;

/// One contestant's share of a round.
pub(crate) type Turn<'a> =
    Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> + Send + 'a>;

/// A contestant: `run` is called once a round.
pub(crate) fn turn<'a, F: Future<Output = ()> + Send + 'a>(
    mut run: impl FnMut() -> F + Send + 'a,
) -> Turn<'a> {
    Box::new(move || Box::pin(run()))
}

/// The time of each round, by contestant.
pub(crate) struct Times(Vec<Vec<f64>>);

/// Runs `n_rounds` rounds, after a tenth as many that do not count. Each round begins with another
/// contestant.
pub(crate) async fn contest<const N: usize>(n_rounds: usize, mut turns: [Turn<'_>; N]) -> Times {
    let mut times = vec![Vec::with_capacity(n_rounds); N];
    let n_warm_up = n_rounds.div_ceil(10);
    for round in 0..n_warm_up + n_rounds {
        for place in 0..N {
            let who = (place + round) % N;
            let began = Instant::now();
            turns[who]().await;
            let took = began.elapsed();
            if round >= n_warm_up {
                times[who].push(took.as_secs_f64());
            }
        }
    }
    Times(times)
}

impl Times {
    /// The median over the rounds of the time of `who` as a multiple of the time of `base`.
    pub(crate) fn ratio(&self, who: usize, base: usize) -> f64 {
        median(self.0[who].iter().zip(&self.0[base]).map(|(own, base)| own / base).collect())
    }

    /// The time of one of a round's `n` steps: the median of `base`, and that of `who` by their
    /// ratio. The machine's speed varies, so the median of `who` alone may come from another speed.
    pub(crate) fn figures(&self, who: usize, base: usize, n: u64) -> String {
        let base_s = median(self.0[base].clone()) / n as f64;
        let [own, base] = [base_s * self.ratio(who, base), base_s].map(Duration::from_secs_f64);
        format!("{} : {}", spoken(own), spoken(base))
    }
}

pub(crate) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

/// Keys below `n` in a pseudo-random order that is the same for all.
pub(crate) struct Keys {
    state: u64,
    n: u64,
}

impl Keys {
    pub(crate) fn below(n: u64) -> Self {
        Self { state: 1, n }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % self.n
    }
}
