//! How a node waits for leases of other nodes: one poll asks for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::cmd;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::lease::HeldLease;
use crate::connection::{Away, Link, Step};
use crate::l2::batches::AT_ONCE;

const FIRST_PAUSE: Duration = Duration::from_millis(2);

const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The shortest time between two polls, for each lease that is waited for.
const APART: Duration = Duration::from_micros(100);

/// All waits of a node. Each is checked after pauses that grow with the time waited. The number of
/// waits limits how often.
#[derive(Default)]
struct WaitList {
    waits: Mutex<Waits>,
    added: Notify,
}

/// All waits of a node for leases, and the link for polling them.
pub(crate) struct LeaseWaits {
    link: Arc<Link>,
    list: WaitList,
}

#[derive(Default)]
struct Waits {
    all: HashMap<u64, Wait>,
    next_id: u64,
    is_polled: bool,
}

/// The wait of one flight, for the first change of any of its leases.
struct Wait {
    leases: Vec<HeldLease>,
    began: Instant,
    due: Instant,
    told: oneshot::Sender<Result<Vec<usize>, Away>>,
}

impl Wait {
    fn pause(&self, now: Instant) -> Duration {
        pause(now - self.began)
    }
}

/// An eighth of the time waited so far.
fn pause(waited: Duration) -> Duration {
    (waited / 8).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

impl LeaseWaits {
    pub(crate) fn new(link: Arc<Link>) -> Arc<Self> {
        Arc::new(Self { link, list: WaitList::default() })
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Waits until some of the leases are given up, taken by another holder, or replaced by
    /// entries, and returns which. `began` is when the wait began.
    pub(crate) async fn wait(
        self: &Arc<Self>,
        leases: Vec<HeldLease>,
        began: Instant,
    ) -> Result<Vec<usize>, Away> {
        let n_leases = leases.len();
        let (told, hears) = oneshot::channel();
        if self.list.add(leases, began, told) {
            tokio::spawn(poll(Arc::clone(self), PollGuard(Some(Arc::clone(self)))));
        }
        // If the poll ended with its runtime, the caller checks all leases itself.
        hears.await.unwrap_or_else(|_| Ok((0..n_leases).collect()))
    }
}

impl WaitList {
    /// Adds a wait. Returns whether no poll is running yet.
    fn add(
        &self,
        leases: Vec<HeldLease>,
        began: Instant,
        told: oneshot::Sender<Result<Vec<usize>, Away>>,
    ) -> bool {
        let mut waits = self.waits();
        waits.next_id += 1;
        let (id, now) = (waits.next_id, Instant::now());
        let due = now + pause(now - began);
        waits.all.insert(id, Wait { leases, began, due, told });
        self.added.notify_one();
        !std::mem::replace(&mut waits.is_polled, true)
    }

    /// When to poll next, if there are waits left.
    fn next_due(&self, looked_at: Option<Instant>) -> Option<Instant> {
        let mut waits = self.waits();
        waits.all.retain(|_, wait| !wait.told.is_closed());
        let Some(due) = waits.all.values().map(|wait| wait.due).min() else {
            waits.is_polled = false;
            return None;
        };
        let n_leases: usize = waits.all.values().map(|wait| wait.leases.len()).sum();
        let apart = FIRST_PAUSE + APART * u32::try_from(n_leases).unwrap_or(u32::MAX);
        Some(looked_at.map_or(due, |at| due.max(at + apart)))
    }

    /// The waits that are due, or will be soon, each with the keys of its leases.
    fn due(&self) -> Vec<(u64, Vec<Arc<str>>)> {
        let now = Instant::now();
        let waits = self.waits();
        let is_due = |(_, wait): &(&u64, &Wait)| wait.due <= now + wait.pause(now) / 2;
        let places =
            |wait: &Wait| wait.leases.iter().map(|lease| Arc::clone(&lease.place)).collect();
        waits.all.iter().filter(is_due).map(|(id, wait)| (*id, places(wait))).collect()
    }

    /// Ends a wait if any of its leases changed, else sets when it is checked again.
    fn found(&self, id: u64, found: Result<Vec<Option<Vec<u8>>>, Away>) {
        let mut waits = self.waits();
        let Some(wait) = waits.all.get_mut(&id) else { return };
        let changed = found.map(|found| {
            let both = wait.leases.iter().zip(found).enumerate();
            both.filter(|(_, (lease, found))| found.as_ref() != Some(&lease.seen))
                .map(|(at, _)| at)
                .collect::<Vec<usize>>()
        });
        if changed.as_ref().is_ok_and(Vec::is_empty) {
            let now = Instant::now();
            wait.due = now + wait.pause(now);
            return;
        }
        let wait = waits.all.remove(&id);
        drop(waits);
        let _ = wait.map(|wait| wait.told.send(changed));
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Polls the leases until no waits are left.
async fn poll(all: Arc<LeaseWaits>, mut guard: PollGuard) {
    let waits = &all.list;
    let mut looked_at = None;
    while let Some(due) = waits.next_due(looked_at) {
        tokio::select! {
            () = sleep_until(due) => {}
            () = waits.added.notified() => continue,
        }
        let due = waits.due();
        let places: Vec<Arc<str>> = due.iter().flat_map(|(_, places)| places.clone()).collect();
        looked_at = Some(Instant::now());
        let mut found = all.ask(&places).await.map(Vec::into_iter);
        for (id, places) in due {
            let found = found.as_mut().map(|found| found.by_ref().take(places.len()).collect());
            waits.found(id, found.map_err(|Away| Away));
        }
    }
    guard.0 = None;
}

impl LeaseWaits {
    async fn ask(&self, places: &[Arc<str>]) -> Result<Vec<Option<Vec<u8>>>, Away> {
        let mut found = Vec::with_capacity(places.len());
        for places in places.chunks(AT_ONCE) {
            let mut mget = cmd("MGET");
            for place in places {
                mget.arg(&**place);
            }
            found.extend(self.link.ask::<Vec<Option<Vec<u8>>>>(Step::WaitForLeases, &mget).await?);
        }
        Ok(found)
    }
}

/// The poll's runtime was dropped, perhaps before it began. All waits are ended, and the next wait
/// starts a new poll.
struct PollGuard(Option<Arc<LeaseWaits>>);

impl Drop for PollGuard {
    fn drop(&mut self) {
        let Some(all) = self.0.take() else { return };
        let mut waits = all.list.waits();
        waits.is_polled = false;
        let dropped = std::mem::take(&mut waits.all);
        drop(waits);
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_the_time_waited_within_their_bounds() {
        let millis = Duration::from_millis;
        let pauses = [0, 8, 80, 800, 8_000].map(|waited| pause(millis(waited)));
        assert_eq!(pauses, [2, 2, 10, 100, 250].map(millis));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn where_the_poll_goes_with_its_runtime_before_it_began_who_waits_looks_for_itself() {
        use std::task::{Context, Waker};

        use crate::connection::{Bus, Connector};

        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let connector = Connector::of_url("redis://127.0.0.1:1").unwrap();
        let link = Link::new(connector, Duration::from_secs(1), Bus::new("test"));
        let waits = LeaseWaits::new(Arc::new(link));
        let leases = || vec![HeldLease::new("1".to_owned(), b"lease:load:1".to_vec())];
        let mut waiting = Box::pin(waits.wait(leases(), Instant::now()));
        let here = runtime().unwrap();
        {
            let _here = here.enter();
            let mut context = Context::from_waker(Waker::noop());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
        }
        drop(here);
        let hears = async { tokio::time::timeout(Duration::from_secs(30), waiting).await };
        let changed = runtime().unwrap().block_on(hears).unwrap();
        assert!(matches!(changed.as_deref(), Ok([0])));
    }

    #[test]
    fn a_thousand_waits_are_polled_no_more_often_than_their_number_allows() {
        let waits = WaitList::default();
        let now = Instant::now();
        let mut hears = Vec::new();
        for key in 0..1_000 {
            let (told, hear) = oneshot::channel();
            let lease = HeldLease::new(key.to_string(), b"lease:load:1".to_vec());
            assert_eq!(waits.add(vec![lease], now, told), key == 0, "one polls for all");
            hears.push(hear);
        }
        let due = waits.next_due(Some(now)).unwrap();
        assert_eq!(due - now, Duration::from_millis(102));
        hears.truncate(1);
        assert!(waits.next_due(Some(now)).unwrap() < due, "those who went away count no more");
        hears.clear();
        assert_eq!(waits.next_due(None), None);
        let (told, _hear) = oneshot::channel();
        assert!(waits.add(Vec::new(), now, told), "the next one polls anew");
    }
}
