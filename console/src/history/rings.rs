use std::time::Duration;

use strata_report::{HeatColumn, History, Range, RangeHistory};

use super::ring::Ring;
use super::step::HistoryStep;
use crate::clock::in_ms;

/// How far back the charts of a snapshot go.
const CHART: Duration = Duration::from_secs(300);

/// The history of one cache, or of all together, in three resolutions.
#[derive(Debug)]
pub(crate) struct Rings {
    seconds: Ring,
    tens: Ring,
    minutes: Ring,
}

impl Default for Rings {
    fn default() -> Self {
        Self {
            // A tick is seldom exactly a second. Steps as short as the clock's own keep each one.
            seconds: Ring::new(Duration::from_millis(1), Range::FifteenMinutes.span()),
            tens: Ring::new(Range::TwoHours.step(), Range::TwoHours.span()),
            minutes: Ring::new(Range::Day.step(), Range::Day.span()),
        }
    }
}

impl Rings {
    pub(crate) fn push(&mut self, step: &HistoryStep) {
        for ring in [&mut self.seconds, &mut self.tens, &mut self.minutes] {
            ring.push(step);
        }
    }

    /// The minutes of a time that is over, as one step; `None` where nothing was taken.
    pub(crate) fn within(&self, span_ms: (u64, u64)) -> Option<HistoryStep> {
        self.minutes.within(span_ms)
    }

    /// Puts earlier steps, oldest first, before those that were taken.
    pub(crate) fn restore(&mut self, earlier: Vec<HistoryStep>) {
        self.minutes.restore(earlier);
    }

    /// What the charts of a snapshot show.
    pub(crate) fn chart(&self) -> History {
        let points = self.seconds.newest(CHART).map(|step| step.point).collect();
        History { step_ms: in_ms(Range::FifteenMinutes.step()), points }
    }

    /// A range, in the finest steps that are kept. The caller adds markers.
    pub(crate) fn range(&self, range: Range) -> RangeHistory {
        let ring = match range {
            Range::Minute | Range::FifteenMinutes => &self.seconds,
            Range::TwoHours => &self.tens,
            Range::Day => &self.minutes,
        };
        RangeHistory {
            range,
            step_ms: in_ms(range.step()),
            since_ms: 0,
            steps: ring.newest(range.span()).map(HistoryStep::step).collect(),
            heat: heat(ring.newest(range.span()), range),
            markers: Vec::new(),
        }
    }
}

/// Latencies in columns of equal length; a column in which nothing was taken is missing.
fn heat<'a>(steps: impl Iterator<Item = &'a HistoryStep>, range: Range) -> Vec<HeatColumn> {
    let width_ms = in_ms(range.span()) / RangeHistory::MAX_COLUMNS as u64;
    let mut columns: Vec<HeatColumn> = Vec::new();
    let (mut first_end_ms, mut last) = (None, None);
    for step in steps {
        let at_ms = step.point.at_ms;
        let from_ms = at_ms.saturating_sub(step.point.span_ms);
        let place = (at_ms - *first_end_ms.get_or_insert(at_ms)) / width_ms;
        if last != Some(place) {
            last = Some(place);
            columns.push(HeatColumn { from_ms, ..HeatColumn::default() });
        }
        if let Some(column) = columns.last_mut() {
            column.to_ms = at_ms;
            column.l1.merge(&step.l1());
            column.l2.merge(&step.l2());
            column.loads.merge(&step.loads());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use strata_report::{CacheFrame, Outcomes, Point, Window};

    use super::*;

    fn tick(at_ms: u64, loaded: u64) -> HistoryStep {
        let outcomes = Outcomes { loaded, ..Outcomes::default() };
        let point = Point { at_ms, span_ms: 1_000, outcomes, ..Point::default() };
        let mut window = Window { outcomes, ..Window::default() };
        (0..loaded).for_each(|_| window.load_latency.record(Duration::from_millis(3)));
        let mut frame = CacheFrame::default();
        frame.report.l1.entries = at_ms / 1_000;
        HistoryStep::new(point, &window, &frame)
    }

    #[test]
    fn a_longer_range_comes_in_coarser_steps_that_add_up_to_the_same() {
        let mut rings = Rings::default();
        (1..=900).for_each(|i| rings.push(&tick(i * 1_000, 2)));
        for (range, step_ms, steps) in [
            (Range::FifteenMinutes, 1_000, 900),
            (Range::TwoHours, 10_000, 90),
            (Range::Day, 60_000, 15),
        ] {
            let history = rings.range(range);
            assert_eq!((history.step_ms, history.steps.len()), (step_ms, steps));
            let reads: u64 = history.steps.iter().map(|step| step.outcomes().reads()).sum();
            let loads: u64 = history.steps.iter().map(|step| step.loads).sum();
            let heat: u64 = history.heat.iter().map(|column| column.loads.count()).sum();
            assert_eq!((reads, loads, heat), (1_800, 1_800, 1_800));
            assert!(history.heat.len() <= RangeHistory::MAX_COLUMNS, "{}", history.heat.len());
            assert_eq!(history.steps.last().unwrap().l1_entries, 900, "sizes are not added up");
        }
        assert_eq!(rings.range(Range::Minute).steps.len(), 60);
        assert_eq!(rings.chart().points.len(), 300);
    }

    #[test]
    fn ticks_that_are_a_little_early_or_late_stay_apart() {
        let mut rings = Rings::default();
        for at_ms in [1_001, 2_000, 3_003] {
            rings.push(&tick(at_ms, 1));
        }
        assert_eq!(rings.chart().points.len(), 3);
    }

    #[test]
    fn a_step_without_loads_has_no_latency() {
        let mut rings = Rings::default();
        rings.push(&tick(1_000, 0));
        rings.push(&tick(2_000, 1));
        let steps = rings.range(Range::Minute).steps;
        assert_eq!((steps[0].load_latency, steps[0].loads), (None, 0));
        assert!((2_000_000..=3_000_000).contains(&steps[1].load_latency.unwrap().p99_ns));
    }
}
