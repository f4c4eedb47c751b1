//! The coarse history in Redis: a dashboard that is started again shows what came before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_cache::Journal;
use tokio::time::sleep;

use super::sampler::Sampler;
use crate::clock::{in_ms, now_ms};
use crate::console::Console;
use crate::history::HistoryStep;
use crate::nodes::NodeClient;

/// One line covers this time. Steps begin at the same moments on all dashboards, so that one of them
/// writes the line of each.
const STEP: Duration = Duration::from_secs(300);

/// A line is written so long after its step, when the last numbers of that are there. Whoever did not
/// hear all nodes in all of it leaves it to the others first.
const WRITTEN_AFTER: Duration = Duration::from_secs(3);
const PARTIAL_AFTER: Duration = Duration::from_secs(20);

/// Dashboards write at moments of their own within this time, milliseconds.
const SPREAD_MS: u64 = 10_000;

const MINUTE_MS: u64 = 60_000;

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
    /// Reads what an earlier dashboard left, and has the line of each step written by one of the
    /// dashboards over these nodes, for ever.
    pub(crate) async fn keep_history(self) {
        let Some(node) = self.inner.nodes.ways_to_redis().into_iter().next() else { return };
        while !self.restore_history(&node).await {
            sleep(TRIED_AGAIN).await;
        }
        loop {
            let until_ms = step_of(now_ms()) + in_ms(STEP);
            let rest_ms = until_ms.saturating_sub(now_ms()) + rand::random_range(0..SPREAD_MS);
            sleep(Duration::from_millis(rest_ms) + WRITTEN_AFTER).await;
            if !self.write_line(&node, until_ms).await {
                sleep(PARTIAL_AFTER).await;
                self.write_partial_line(&node, until_ms).await;
            }
        }
    }

    /// Writes the line of the step until then, unless another dashboard did or this one has not heard
    /// all of it. Says whether nothing is left to do.
    async fn write_line(&self, node: &Arc<dyn NodeClient>, until_ms: u64) -> bool {
        let Some(line) = self.sampler().line(until_ms) else { return true };
        if !line.is_whole() {
            return false;
        }
        line.append((node, until_ms)).await;
        true
    }

    /// Writes what this dashboard has heard of the step until then, unless there is a line of it.
    async fn write_partial_line(&self, node: &Arc<dyn NodeClient>, until_ms: u64) {
        let line = self.sampler().line(until_ms);
        if let Some(line) = line {
            line.append((node, until_ms)).await;
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

/// When the step began that a moment is in, milliseconds.
fn step_of(at_ms: u64) -> u64 {
    at_ms / in_ms(STEP) * in_ms(STEP)
}

impl HistoryLine {
    /// Whether it covers nearly all of its step; a busy machine ticks late.
    fn is_whole(&self) -> bool {
        self.all.point.span_ms + 5_000 >= in_ms(STEP)
    }

    /// Where Redis is away, the line is missing from the history of those who come later.
    async fn append(&self, (node, until_ms): (&Arc<dyn NodeClient>, u64)) {
        let line = serde_json::to_string(self).unwrap_or_default();
        let _ = node.shared().append_at(JOURNAL, until_ms, &line).await;
    }
}

impl Sampler {
    /// What happened in the step until then, by the minutes that are kept. Minutes in which others
    /// were not heard are left out, with those before them; `None` where none is left.
    fn line(&self, until_ms: u64) -> Option<HistoryLine> {
        let began_ms = until_ms.saturating_sub(in_ms(STEP));
        let heard_ms = self.others_unheard_at_ms.map_or(0, |at| at.div_ceil(MINUTE_MS) * MINUTE_MS);
        let span = (began_ms.max(heard_ms), until_ms);
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
    use strata_cache::Node;
    use strata_report::{Outcomes, Point, Range};
    use strata_testing::RedisServer;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::access::{Access, AccessSettings};
    use crate::nodes::RemoteNodes;

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
    fn a_line_is_made_of_the_minutes_of_a_step_that_is_over() {
        let mut sampler = Sampler::new(0);
        let minutes = [(240, 9), (360, 1), (420, 2), (480, 4), (660, 8)];
        sampler.restore(minutes.map(|(at_s, l1_hit)| line(at_s, 60, l1_hit)).to_vec());
        let made = sampler.line(600_000).unwrap();
        assert_eq!((made.all.point.outcomes.l1_hit, made.all.point.span_ms), (7, 180_000));
        assert_eq!(made.caches["users"].point.outcomes.l1_hit, 7);
        assert!(!made.is_whole());
        assert!(sampler.line(1_200_000).is_none(), "nothing was heard");
    }

    #[test]
    fn no_minute_is_written_in_which_other_nodes_were_not_heard() {
        let mut sampler = Sampler::new(0);
        sampler.restore((6..=10).map(|n| line(n * 60, 60, 1)).collect());
        assert!(sampler.line(600_000).unwrap().is_whole());
        sampler.others_unheard_at_ms = Some(410_000);
        let made = sampler.line(600_000).unwrap();
        assert_eq!((made.all.point.outcomes.l1_hit, made.is_whole()), (3, false));
        sampler.others_unheard_at_ms = Some(590_000);
        assert!(sampler.line(600_000).is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_dashboards_one_writes_the_line_of_a_step() {
        let redis = RedisServer::start().await;
        let pods =
            [Dashboard::start(&redis, "pod-1").await, Dashboard::start(&redis, "pod-2").await];
        let until_ms = step_of(now_ms());
        for pod in &pods {
            let mut ticks = pod.console.subscribe();
            ticks.wait_for(|tick| tick.frame.fleet.as_ref().unwrap().was_heard).await.unwrap();
            pod.console.sampler().others_unheard_at_ms = None;
            let minutes = (0..5).map(|n| line(until_ms / 1_000 - n * 60, 60, 1));
            pod.console.sampler().restore(minutes.collect());
            assert!(pod.console.write_line(&pod.node, until_ms).await);
            pod.console.write_partial_line(&pod.node, until_ms).await;
        }
        let kept: u64 = redis.ask(&["XLEN", "{shop}!journal:history"]).await;
        assert_eq!(kept, 1);
        let later = Dashboard::start(&redis, "pod-3").await;
        assert!(later.console.restore_history(&later.node).await);
        assert_eq!(hits(&later.console.sampler())[0], 5);
    }

    /// A pod of the service with a dashboard over all of its nodes.
    struct Dashboard {
        console: Console,
        node: Arc<dyn NodeClient>,
        _end: tokio_util::sync::DropGuard,
    }

    impl Dashboard {
        async fn start(redis: &RedisServer, id: &str) -> Self {
            let node = Node::builder("shop").id(id).redis_url(&redis.url()).start().await.unwrap();
            let others = node.fleet_client().start().unwrap();
            let others = RemoteNodes::new(node.reaching_all_caches(), others);
            let node: Arc<dyn NodeClient> = Arc::new(node);
            let shutdown = CancellationToken::new();
            let access = Access::new(AccessSettings::default());
            let nodes = (vec![Arc::clone(&node)], others);
            let console = Console::start_among(nodes, access, shutdown.clone());
            Self { console, node, _end: shutdown.drop_guard() }
        }
    }
}
