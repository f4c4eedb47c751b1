/// A vertical axis from 0: `n_steps` equal steps of a round length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// The length of a step.
    pub(crate) step: f64,
    /// How many there are.
    pub(crate) n_steps: u32,
}

impl Axis {
    /// The smallest axis of `n_steps` round steps that reaches `highest`.
    pub(crate) fn reaching(highest: f64, n_steps: u32) -> Self {
        let wanted = highest / f64::from(n_steps);
        if wanted.is_nan() || wanted <= 0.0 {
            return Self { step: 1.0, n_steps };
        }
        let power = 10_f64.powi(wanted.log10().floor() as i32);
        // The comparison is in units of `power`, with room for the error of the division.
        let fits = |round: &f64| *round * (1.0 + 1e-9) >= wanted / power;
        let round = ROUND.into_iter().find(fits).unwrap_or(10.0);
        Self { step: round * power, n_steps }
    }

    /// Where it ends.
    pub(crate) fn max(&self) -> f64 {
        self.step * f64::from(self.n_steps)
    }

    /// The value of every tick, highest first.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let step = self.step;
        (0..=self.n_steps).rev().map(move |i| step * f64::from(i))
    }
}

const ROUND: [f64; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_reaches_its_highest_value_with_round_steps() {
        assert_eq!(Axis::reaching(5_500.0, 4).step, 1_500.0);
        assert_eq!(Axis::reaching(4.0, 4).step, 1.0);
        assert_eq!(Axis::reaching(0.7, 2).step, 0.4);
        for tenth in 1..5_000 {
            let highest = f64::from(tenth) / 10.0;
            let axis = Axis::reaching(highest, 4);
            assert!(axis.max() >= highest * 0.999_999, "{highest} above {axis:?}");
            assert!(axis.max() <= highest * 1.51, "{highest} lost in {axis:?}");
        }
    }

    #[test]
    fn an_axis_of_nothing_still_has_ticks() {
        assert_eq!(Axis::reaching(0.0, 2).ticks().collect::<Vec<_>>(), [2.0, 1.0, 0.0]);
        assert_eq!(Axis::reaching(f64::NAN, 2).max(), 2.0);
    }
}
