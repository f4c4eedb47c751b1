use std::collections::VecDeque;
use std::time::Duration;

use super::step::HistoryStep;
use crate::clock::in_ms;

/// The newest steps of one length, oldest first, bounded by age.
///
/// Ticks that come more often than the step are added up. A step in which nothing was taken is
/// missing, never a row of zeros.
#[derive(Debug)]
pub(crate) struct Ring {
    step_ms: u64,
    keep_ms: u64,
    steps: VecDeque<HistoryStep>,
}

impl Ring {
    pub(crate) fn new(step: Duration, keep: Duration) -> Self {
        Self { step_ms: in_ms(step), keep_ms: in_ms(keep), steps: VecDeque::new() }
    }

    /// Adds what happened since the last call.
    pub(crate) fn push(&mut self, step: &HistoryStep) {
        let at_ms = step.point.at_ms;
        self.follow_clock(step);
        let place = self.step_of(at_ms);
        let same = |last: &&mut HistoryStep| last.point.at_ms.div_ceil(self.step_ms) == place;
        match self.steps.back_mut().filter(same) {
            Some(last) => last.append(step),
            None => self.steps.push_back(step.clone()),
        }
        let oldest_ms = at_ms.saturating_sub(self.keep_ms);
        while self.steps.front().is_some_and(|first| first.point.at_ms <= oldest_ms) {
            self.steps.pop_front();
        }
    }

    /// The steps after one instant until another one, as one step; `None` where there are none.
    pub(crate) fn within(&self, (after_ms, until_ms): (u64, u64)) -> Option<HistoryStep> {
        let is_in =
            |step: &&HistoryStep| step.point.at_ms > after_ms && step.point.at_ms <= until_ms;
        let mut steps = self.steps.iter().filter(is_in);
        let mut sum = steps.next()?.clone();
        steps.for_each(|step| sum.append(step));
        Some(sum)
    }

    /// Puts earlier steps, oldest first, before those that were taken.
    pub(crate) fn restore(&mut self, earlier: Vec<HistoryStep>) {
        let begin_ms = |step: &HistoryStep| step.point.at_ms.saturating_sub(step.point.span_ms);
        let first_ms = self.steps.front().map_or(u64::MAX, begin_ms);
        let fits = |step: &HistoryStep| step.point.at_ms <= first_ms;
        for step in earlier.into_iter().filter(fits).rev() {
            self.steps.push_front(step);
        }
    }

    /// A clock that was set back leaves steps in the future. They are moved back as far as the clock
    /// was, so that a chart goes on where it was: what happened a minute ago still is a minute ago.
    fn follow_clock(&mut self, next: &HistoryStep) {
        let Some(last) = self.steps.back().filter(|last| last.point.at_ms > next.point.at_ms)
        else {
            return;
        };
        let set_back_ms = last.point.at_ms + next.point.span_ms - next.point.at_ms;
        for step in &mut self.steps {
            step.point.at_ms = step.point.at_ms.saturating_sub(set_back_ms);
        }
    }

    /// The steps of the newest `span`, oldest first.
    pub(crate) fn newest(&self, span: Duration) -> impl Iterator<Item = &HistoryStep> {
        let newest_ms = self.steps.back().map_or(0, |step| step.point.at_ms);
        let after_ms = newest_ms.saturating_sub(in_ms(span));
        let first = self.steps.partition_point(|step| step.point.at_ms <= after_ms);
        self.steps.range(first..)
    }

    // A step ends at a multiple of its length, and that last instant belongs to it.
    fn step_of(&self, at_ms: u64) -> u64 {
        at_ms.div_ceil(self.step_ms)
    }
}

#[cfg(test)]
mod tests {
    use strata_report::{CacheFrame, Outcomes, Point, Window};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn tick(at_ms: u64, l1_hit: u64) -> HistoryStep {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        let point = Point { at_ms, span_ms: 1_000, outcomes, ..Point::default() };
        HistoryStep::new(point, &Window::default(), &CacheFrame::default())
    }

    fn pushed(mut ring: Ring, ticks: impl IntoIterator<Item = HistoryStep>) -> Ring {
        ticks.into_iter().for_each(|tick| ring.push(&tick));
        ring
    }

    fn shape(ring: &Ring) -> Vec<(u64, u64, u64)> {
        let row = |HistoryStep { point, .. }: &HistoryStep| {
            (point.at_ms, point.span_ms, point.outcomes.l1_hit)
        };
        ring.steps.iter().map(row).collect()
    }

    #[test]
    fn ticks_are_added_up_into_their_step() {
        let ring = Ring::new(10 * SECOND, 3600 * SECOND);
        let ring = pushed(ring, (1..=25).map(|i| tick(i * 1_000, 1)));
        assert_eq!(shape(&ring), [(10_000, 10_000, 10), (20_000, 10_000, 10), (25_000, 5_000, 5)]);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let ring = Ring::new(10 * SECOND, 3600 * SECOND);
        let ring = pushed(ring, [tick(8_000, 4), tick(47_000, 2), tick(48_000, 3)]);
        assert_eq!(shape(&ring), [(8_000, 1_000, 4), (48_000, 2_000, 5)]);
    }

    #[test]
    fn steps_older_than_the_ring_keeps_are_dropped() {
        let ring = Ring::new(SECOND, 60 * SECOND);
        let ring = pushed(ring, (1..=1_000).map(|i| tick(i * 1_000, i)));
        assert_eq!(ring.steps.len(), 60);
        assert_eq!(ring.steps[0].point.at_ms, 941_000);
    }

    #[test]
    fn a_clock_set_back_moves_what_was_before_it_and_loses_nothing() {
        let ring = Ring::new(Duration::from_millis(1), 3600 * SECOND);
        let hour_ms = 3_600_000;
        let before = (1..=3).map(|i| tick(hour_ms + i * 1_000, i));
        let ring = pushed(ring, before.chain([tick(5_000, 7), tick(6_000, 8)]));
        let steps = [(2_000, 1), (3_000, 2), (4_000, 3), (5_000, 7), (6_000, 8)];
        assert_eq!(shape(&ring), steps.map(|(at_ms, hits)| (at_ms, 1_000, hits)));
    }

    #[test]
    fn coarse_steps_add_up_to_the_same_after_a_clock_was_set_back() {
        let ring = Ring::new(10 * SECOND, 3600 * SECOND);
        let before = (1..=25).map(|i| tick(7_200_000 + i * 1_000, 1));
        let ring = pushed(ring, before.chain((1..=25).map(|i| tick(100_000 + i * 1_000, 1))));
        let ends = shape(&ring).iter().map(|step| step.0).collect::<Vec<_>>();
        assert!(ends.is_sorted_by(|one, next| one < next), "{ends:?}");
        assert_eq!(ends.last(), Some(&125_000), "nothing lies in the future");
        let sum = |part: fn(&(u64, u64, u64)) -> u64| shape(&ring).iter().map(part).sum::<u64>();
        assert_eq!((sum(|step| step.1), sum(|step| step.2)), (50_000, 50));
    }

    #[test]
    fn the_newest_steps_are_counted_from_the_newest() {
        let ring = Ring::new(Duration::from_millis(1), 3600 * SECOND);
        let ring = pushed(ring, (1..=400).map(|i| tick(i * 1_000, 1)));
        let newest: Vec<_> = ring.newest(300 * SECOND).collect();
        assert_eq!((newest.len(), newest[0].point.at_ms), (300, 101_000));
        assert!(Ring::new(SECOND, SECOND).newest(SECOND).next().is_none());
    }
}
