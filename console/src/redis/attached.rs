use std::sync::Arc;
use std::time::Duration;

use strata_cache::L2Count;
use strata_report::NodeReport;
use tokio::time::{Instant, sleep, timeout};

use crate::console::Console;

/// Attached nodes often stay for seconds only, so they are counted more often than the service.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// After a count the task rests this many times as long as the count took.
const REST_PER_COUNT: u32 = 20;

impl Console {
    /// Counts again and again what the caches of attached nodes keep in L2.
    pub(crate) async fn count_attached(self) {
        loop {
            let began = Instant::now();
            let attached = Arc::clone(&self.tick().attached);
            let mut counts = Vec::new();
            for attached in attached.iter() {
                let uncounted = in_l2(&attached.report)
                    .filter(|cache| counts.iter().all(|count: &L2Count| count.cache != *cache));
                let uncounted: Vec<_> = uncounted.collect();
                if !uncounted.is_empty() {
                    counts.extend(self.counted(attached.number, &uncounted).await);
                }
            }
            self.inner.census.set_attached_counts(counts);
            sleep(COUNT_EVERY.max(began.elapsed() * REST_PER_COUNT)).await;
        }
    }

    /// Empty if the node is gone or cannot say.
    async fn counted(&self, number: u64, caches: &[&str]) -> Vec<L2Count> {
        let Some(node) = self.inner.attached.get(number) else { return Vec::new() };
        let Ok(Ok(Some(counts))) = timeout(COUNT_EVERY, node.shared().count_l2()).await else {
            return Vec::new();
        };
        // Only caches that have keys are in the counts.
        let count_of = |cache: &&str| {
            let found = counts.iter().find(|count| count.cache == *cache).cloned();
            found.unwrap_or_else(|| L2Count {
                cache: (*cache).to_owned(),
                entries: 0,
                weight_bytes: 0,
            })
        };
        caches.iter().map(count_of).collect()
    }
}

fn in_l2(report: &NodeReport) -> impl Iterator<Item = &str> {
    let caches = report.caches.iter().filter(|_| report.l2.configured);
    let kept = caches.filter(|cache| cache.settings.l2_time_to_live_ms.is_some());
    kept.map(|cache| cache.cache.as_str())
}
