use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::L2Count;
use strata_report::NodeReport;
use tokio::time::{Instant, sleep, timeout};

use crate::console::heard;
use crate::{Console, NodeFace};

/// Guests stay for seconds, so they are counted more often than the service.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// A count rests for so many times as long as it took.
const REST_PER_COUNT: u32 = 20;

/// Nodes that come and go beside the service's own.
#[derive(Default)]
pub(crate) struct Guests {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    last_number: u64,
    guests: Vec<Guest>,
}

/// Ids of guests may repeat, those of the service's nodes too, so the console numbers them.
struct Guest {
    number: u64,
    node: Arc<dyn NodeFace>,
    first: Option<NodeReport>,
}

/// What a guest says of itself.
#[derive(Clone, Debug)]
pub(crate) struct GuestReport {
    pub(crate) number: u64,
    pub(crate) report: NodeReport,
    /// What it said when it was attached, where that was since the last tick.
    pub(crate) first: Option<NodeReport>,
}

/// Keeps a guest attached to a console; dropping it detaches the guest.
#[must_use = "the guest is detached as soon as this is dropped"]
pub struct Attached {
    guests: Arc<Guests>,
    number: u64,
}

impl Console {
    /// Shows a node beside the service's own from the next tick on, for as long as what is
    /// returned is kept, and counts from now. Its caches have rows, pages, keys and invalidations
    /// like all others. Sums, alerts, nodes, activity and metrics leave them out. With its last
    /// guest a cache is forgotten.
    ///
    /// Guests with a cache of one name are taken for nodes of one namespace. A cache that has the
    /// name of one of the service's own is not shown, nor one that an earlier guest with the same
    /// id has.
    pub fn attach(&self, node: Arc<dyn NodeFace>) -> Attached {
        let guests = Arc::clone(&self.inner.guests);
        let number = guests.add(node);
        Attached { guests, number }
    }

    /// Counts again and again what the caches of guests keep in L2.
    pub(crate) async fn count_guests(self) {
        loop {
            let began = Instant::now();
            let guests = Arc::clone(&self.tick().guests);
            let mut counts = Vec::new();
            for guest in guests.iter() {
                let uncounted = in_l2(&guest.report)
                    .filter(|cache| counts.iter().all(|count: &L2Count| count.cache != *cache));
                let uncounted: Vec<_> = uncounted.collect();
                if !uncounted.is_empty() {
                    counts.extend(self.counted(guest.number, &uncounted).await);
                }
            }
            self.inner.census.know_guests(counts);
            sleep(COUNT_EVERY.max(began.elapsed() * REST_PER_COUNT)).await;
        }
    }

    /// Empty where the guest is gone or cannot say.
    async fn counted(&self, number: u64, caches: &[&str]) -> Vec<L2Count> {
        let Some(node) = self.inner.guests.get(number) else { return Vec::new() };
        let Ok(Ok(Some(counts))) = timeout(COUNT_EVERY, node.count_l2()).await else {
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

impl Guests {
    fn add(&self, node: Arc<dyn NodeFace>) -> u64 {
        let first = heard(&*node);
        let mut list = self.list();
        list.last_number += 1;
        let number = list.last_number;
        list.guests.push(Guest { number, node, first });
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<dyn NodeFace>> {
        let list = self.list();
        let guest = list.guests.iter().find(|guest| guest.number == number);
        guest.map(|guest| Arc::clone(&guest.node))
    }

    /// What all guests that are heard say, for the next tick.
    pub(crate) fn reports(&self) -> Vec<GuestReport> {
        let taken: Vec<_> = {
            let mut list = self.list();
            let taken =
                |guest: &mut Guest| (guest.number, Arc::clone(&guest.node), guest.first.take());
            list.guests.iter_mut().map(taken).collect()
        };
        let reports = taken.into_iter().filter_map(|(number, node, first)| {
            Some(GuestReport { number, report: heard(&*node)?, first })
        });
        reports.collect()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.guests.list().guests.retain(|guest| guest.number != self.number);
    }
}

/// Takes away the caches that would mix with one of the service's own, or twice with themselves.
pub(crate) fn keep_apart(guests: &mut [GuestReport], own_caches: &HashSet<String>) {
    let mut shown = HashSet::new();
    for guest in guests {
        let node = guest.report.node.clone();
        guest.report.caches.retain(|cache| {
            !own_caches.contains(&cache.cache) && shown.insert((node.clone(), cache.cache.clone()))
        });
    }
}

fn in_l2(report: &NodeReport) -> impl Iterator<Item = &str> {
    let caches = report.caches.iter().filter(|_| report.l2.configured);
    let kept = caches.filter(|cache| cache.settings.l2_time_to_live_ms.is_some());
    kept.map(|cache| cache.cache.as_str())
}
