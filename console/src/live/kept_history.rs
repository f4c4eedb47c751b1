//! The coarse history in Redis: a dashboard that is started again shows what came before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_cache::Journal;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::sampler::Sampler;
use crate::clock::now_ms;
use crate::console::Console;
use crate::history::HistoryStep;
use crate::nodes::NodeClient;

/// One line covers this time.
const STEP: Duration = Duration::from_secs(300);

/// While Redis has not been read yet.
const TRIED_AGAIN: Duration = Duration::from_secs(5);

/// So many caches are in one line, the first by name.
const MOST_CACHES: usize = 64;

/// A day of lines, which end by themselves where nobody writes any more.
const JOURNAL: Journal<'static> =
    Journal { name: "history", max_lines: 288, kept_for: Some(Duration::from_secs(2 * 86_400)) };

/// What happened within one step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HistoryLine {
    /// All caches together.
    all: HistoryStep,
    caches: BTreeMap<String, HistoryStep>,
}

impl Console {
    /// Reads what an earlier dashboard left, and writes a line again and again, for ever.
    pub(crate) async fn keep_history(self) {
        let Some(node) = self.inner.nodes.ways_to_redis().into_iter().next() else { return };
        let mut written_ms = now_ms();
        while !self.restore_history(&node).await {
            tokio::time::sleep(TRIED_AGAIN).await;
        }
        let mut ticks = interval_at(Instant::now() + STEP, STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A minute that has not ended is for the next line.
            let until_ms = now_ms() / 60_000 * 60_000;
            let Some(line) = self.sampler().line((written_ms, until_ms)) else { continue };
            written_ms = until_ms;
            // Where Redis is away, the line is missing from the history of those who come later.
            let line = serde_json::to_string(&line).unwrap_or_default();
            let _ = node.shared().append(JOURNAL, &[line]).await;
        }
    }

    /// Whether the journal could be read.
    async fn restore_history(&self, node: &Arc<dyn NodeClient>) -> bool {
        let Ok(Some(lines)) = node.shared().journal(JOURNAL).await else { return false };
        // A line of another version is skipped, not fatal.
        let lines = lines.iter().rev().filter_map(|line| serde_json::from_str(line).ok());
        self.sampler().restore(lines.collect());
        true
    }
}

impl Sampler {
    /// What happened in a time that is over, by the minutes that are kept; `None` where nothing was
    /// heard.
    fn line(&self, (after_ms, until_ms): (u64, u64)) -> Option<HistoryLine> {
        let span = (after_ms, until_ms);
        let all = self.all.within(span)?;
        let caches = self.histories.within(span).take(MOST_CACHES).collect();
        Some(HistoryLine { all, caches })
    }

    /// Puts an earlier dashboard's lines before what this one has seen itself.
    pub(super) fn restore(&mut self, mut lines: Vec<HistoryLine>) {
        lines.sort_by_key(|line| line.all.point.at_ms);
        let mut last_ms = 0;
        // Of several dashboards at a time, one counts.
        lines.retain(|line| {
            let (at_ms, span_ms) = (line.all.point.at_ms, line.all.point.span_ms);
            let is_next = at_ms.saturating_sub(span_ms) + 1_000 >= last_ms && span_ms > 0;
            if is_next {
                last_ms = at_ms;
            }
            is_next
        });
        if let Some(first) = lines.first() {
            let began_ms = first.all.point.at_ms.saturating_sub(first.all.point.span_ms);
            self.restored_since_ms = Some(began_ms);
        }
        let mut by_cache: BTreeMap<String, Vec<HistoryStep>> = BTreeMap::new();
        let mut all = Vec::new();
        for line in lines {
            all.push(line.all);
            for (cache, step) in line.caches {
                by_cache.entry(cache).or_default().push(step);
            }
        }
        self.all.restore(all);
        self.histories.restore(by_cache);
    }
}

#[cfg(test)]
mod tests {
    use strata_report::{Outcomes, Point, Range};

    use super::*;

    fn line(at_s: u64, span_s: u64, l1_hit: u64) -> HistoryLine {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        let (at_ms, span_ms) = (at_s * 1_000, span_s * 1_000);
        let step = HistoryStep::empty(Point { at_ms, span_ms, outcomes, ..Point::default() });
        HistoryLine { all: step.clone(), caches: BTreeMap::from([("users".to_owned(), step)]) }
    }

    fn hits(sampler: &Sampler) -> Vec<u64> {
        let day = sampler.range(Range::Day).steps;
        day.iter().map(|step| step.outcomes().l1_hit).collect()
    }

    #[test]
    fn a_dashboard_that_is_started_again_shows_what_came_before() {
        let written = [line(80_300, 300, 7), line(80_600, 300, 9)];
        let read = written
            .map(|line| serde_json::from_str(&serde_json::to_string(&line).unwrap()).unwrap());
        let mut sampler = Sampler::new(81_000_000);
        sampler.restore(read.to_vec());
        assert_eq!(hits(&sampler), [7, 9]);
        let users = sampler.cache_range("users", Range::Day);
        assert_eq!((users.steps.len(), users.since_ms), (2, 80_000_000));
        assert_eq!(sampler.range(Range::Minute).since_ms, 81_000_000, "only coarse steps are kept");
    }

    #[test]
    fn two_dashboards_at_a_time_are_not_added_up() {
        let mut sampler = Sampler::new(81_000_000);
        sampler.restore(vec![line(80_600, 300, 9), line(80_300, 300, 7), line(80_420, 300, 8)]);
        assert_eq!(hits(&sampler), [7, 9]);
    }

    #[test]
    fn a_line_is_made_of_the_minutes_that_are_over() {
        let mut sampler = Sampler::new(0);
        sampler.restore(vec![line(60, 60, 1), line(120, 60, 2), line(180, 60, 4)]);
        let made = sampler.line((60_000, 180_000)).unwrap();
        assert_eq!((made.all.point.outcomes.l1_hit, made.all.point.span_ms), (6, 120_000));
        assert_eq!(made.caches["users"].point.outcomes.l1_hit, 6);
        assert!(sampler.line((180_000, 240_000)).is_none(), "nothing was heard");
    }
}
