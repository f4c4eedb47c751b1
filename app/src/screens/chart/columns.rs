use strata_report::{Range, Step};

/// What was counted in one column of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::screens) struct Column {
    /// When it began, milliseconds since the epoch.
    pub(super) from_ms: u64,
    /// When it ended, milliseconds since the epoch.
    pub(super) to_ms: u64,
    /// For how much of it somebody counted, milliseconds.
    span_ms: u64,
    /// What each band counted.
    pub(super) counts: Vec<u64>,
}

impl Column {
    /// A count of this column as a rate per second.
    pub(super) fn per_second(&self, count: u64) -> f64 {
        if self.span_ms == 0 { 0.0 } else { count as f64 * 1000.0 / self.span_ms as f64 }
    }

    /// All bands together.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// How long a column of a chart is, milliseconds.
pub(super) const fn width_ms(range: Range) -> u64 {
    match range {
        Range::Minute => 1_000,
        Range::FifteenMinutes => 10_000,
        Range::TwoHours => 60_000,
        Range::Day => 900_000,
    }
}

/// Adds steps up into columns, oldest first. Nothing is left out, and where nobody counted there
/// is no column.
pub(in crate::screens) fn columns(
    steps: &[Step],
    range: Range,
    n_bands: usize,
    count: impl Fn(&Step, usize) -> u64,
) -> Vec<Column> {
    let width_ms = width_ms(range);
    let mut columns: Vec<Column> = Vec::new();
    for step in steps {
        let (at_ms, span_ms) = (step.point.at_ms, step.point.span_ms);
        // A step is named after its end.
        let place = at_ms.saturating_sub(1) / width_ms;
        let is_same = |column: &Column| column.to_ms.saturating_sub(1) / width_ms == place;
        if !columns.last().is_some_and(is_same) {
            // Steps do not begin with the clock's second, so neither do columns.
            let before_ms = columns.last().map_or(0, |column| column.to_ms);
            let from_ms = at_ms.saturating_sub(span_ms).max(before_ms);
            columns.push(Column { from_ms, to_ms: at_ms, span_ms: 0, counts: vec![0; n_bands] });
        }
        if let Some(column) = columns.last_mut() {
            column.to_ms = at_ms;
            column.span_ms += span_ms;
            for (band, total) in column.counts.iter_mut().enumerate() {
                *total += count(step, band);
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use strata_report::{Outcomes, Point};

    use super::*;

    fn step(s: u64) -> Step {
        let outcomes = Outcomes { l1_hit: 3, ..Outcomes::default() };
        let point = Point { at_ms: s * 1000, span_ms: 1000, outcomes, ..Point::default() };
        Step { point, ..Step::default() }
    }

    #[test]
    fn columns_add_up_to_the_steps() {
        let steps: Vec<_> = (1..=25).map(step).collect();
        let columns = columns(&steps, Range::FifteenMinutes, 1, |step, _| step.outcomes().l1_hit);
        let spans: Vec<_> = columns.iter().map(|c| (c.from_ms, c.to_ms, c.total())).collect();
        assert_eq!(spans, [(0, 10_000, 30), (10_000, 20_000, 30), (20_000, 25_000, 15)]);
        assert_eq!(columns[2].per_second(columns[2].total()), 3.0);
    }

    #[test]
    fn columns_of_steps_that_drift_touch_each_other() {
        let drifting = |i: u64| {
            let step = step(0);
            Step {
                point: Point { at_ms: 10_000 + i * 1_050, span_ms: 1_050, ..step.point },
                ..step
            }
        };
        let steps: Vec<_> = (1..=30).map(drifting).collect();
        let columns = columns(&steps, Range::Minute, 1, |step, _| step.outcomes().l1_hit);
        assert!(columns.windows(2).all(|pair| pair[0].to_ms == pair[1].from_ms));
        assert!(columns.iter().all(|column| column.to_ms - column.from_ms >= 1_050));
    }

    #[test]
    fn where_nobody_counted_there_is_no_column() {
        let columns = columns(&[step(5), step(45)], Range::FifteenMinutes, 1, |_, _| 1);
        let begins: Vec<_> = columns.iter().map(|column| column.from_ms).collect();
        assert_eq!(begins, [4_000, 44_000]);
    }
}
