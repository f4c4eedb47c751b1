use crate::random::Random;

/// Draws ranks `1..=n` so that rank `k` comes up in proportion to `1 / k^skew`.
///
/// Rejection-inversion after Hörmann and Derflinger (1996): constant time and memory for any `n`,
/// so the skew may change while requests run.
#[derive(Clone, Debug)]
pub struct Zipf {
    n: u64,
    skew: f64,
    area_first: f64,
    area_last: f64,
    accept: f64,
}

impl Zipf {
    /// Ranks `1..=n`; an `n` of 0 counts as 1. `skew` is 0 (uniform) or more.
    pub fn new(n: u64, skew: f64) -> Self {
        let n = n.max(1);
        let area_first = area(1.5, skew) - 1.0;
        let area_last = area(n as f64 + 0.5, skew);
        let accept = 2.0 - area_inverse(area(2.5, skew) - density(2.0, skew), skew);
        Self { n, skew, area_first, area_last, accept }
    }

    /// The next rank.
    pub fn sample(&self, random: &mut Random) -> u64 {
        loop {
            let u = self.area_last + random.unit() * (self.area_first - self.area_last);
            let x = area_inverse(u, self.skew);
            let k = x.round().clamp(1.0, self.n as f64);
            if k - x <= self.accept || u >= area(k + 0.5, self.skew) - density(k, self.skew) {
                return k as u64;
            }
        }
    }
}

// x^-skew
fn density(x: f64, skew: f64) -> f64 {
    (-skew * x.ln()).exp()
}

// The integral of the density from 1 to x.
fn area(x: f64, skew: f64) -> f64 {
    let ln_x = x.ln();
    exp_m1_over((1.0 - skew) * ln_x) * ln_x
}

fn area_inverse(area: f64, skew: f64) -> f64 {
    // Rounding may push the argument just below -1, where the logarithm ends.
    let t = (area * (1.0 - skew)).max(-1.0);
    (ln_1p_over(t) * area).exp()
}

// (e^x - 1) / x, which at a skew of 1 is its limit.
fn exp_m1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x / 2.0 * (1.0 + x / 3.0) }
}

// ln(1 + x) / x, likewise.
fn ln_1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x * (0.5 - x / 3.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_DRAWS: u64 = 400_000;

    #[test]
    fn frequencies_follow_the_exact_distribution() {
        for skew in [0.0, 0.5, 0.99, 1.0, 1.01, 2.0, 3.0] {
            let statistic = chi_square(50, skew);
            // 49 degrees of freedom: a right sampler stays below this in all but one run of 10^6.
            assert!(statistic < 112.0, "skew {skew}: chi-square {statistic}");
        }
    }

    #[test]
    fn every_rank_is_in_range_at_the_ends_of_the_settings() {
        let mut random = Random::new(3);
        for n in [0, 1, 2, 10_000_000_000] {
            for skew in [0.0, 1.0, 3.0] {
                let zipf = Zipf::new(n, skew);
                for _ in 0..1_000 {
                    let rank = zipf.sample(&mut random);
                    assert!((1..=n.max(1)).contains(&rank), "n {n} skew {skew}: {rank}");
                }
            }
        }
    }

    fn chi_square(n: u64, skew: f64) -> f64 {
        let zipf = Zipf::new(n, skew);
        let mut random = Random::new(11);
        let mut seen = vec![0u64; n as usize];
        for _ in 0..N_DRAWS {
            seen[zipf.sample(&mut random) as usize - 1] += 1;
        }
        let weights: Vec<f64> = (1..=n).map(|k| (k as f64).powf(-skew)).collect();
        let sum: f64 = weights.iter().sum();
        let terms = seen.iter().zip(&weights).map(|(seen, weight)| {
            let expected = N_DRAWS as f64 * weight / sum;
            (*seen as f64 - expected).powi(2) / expected
        });
        terms.sum()
    }
}
