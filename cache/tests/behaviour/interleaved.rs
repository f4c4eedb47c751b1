//! Actions between two steps of one read. Another thread acts whenever the read hashes its key,
//! which it does before each look at L1 and before it takes the fence's lock.

use std::cell::RefCell;
use std::fmt::{Display, Formatter};
use std::hash::{Hash, Hasher};
use std::io::Error;
use std::str::FromStr;
use std::sync::mpsc;
use std::time::Duration;

use strata_cache::Cache;
use strata_cache::report::Outcome;
use tokio::runtime::Handle;

/// More often than any read hashes its key.
const N_STEPS: u32 = 12;

const EXPIRING: Duration = Duration::from_millis(2);

/// Slow enough that an early refresh is practically certain.
const LOAD: Duration = Duration::from_millis(50);

thread_local! {
    static TRAP: RefCell<Option<Trap>> = const { RefCell::new(None) };
}

/// Runs `spring` when a key is hashed in this thread for the nth time.
struct Trap {
    steps_left: u32,
    spring: Box<dyn FnOnce()>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TrappedKey(u64);

impl Hash for TrappedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        let sprung = TRAP.with_borrow_mut(|trap| {
            let left = &mut trap.as_mut()?.steps_left;
            *left = left.saturating_sub(1);
            (*left == 0).then(|| trap.take()).flatten()
        });
        if let Some(trap) = sprung {
            (trap.spring)();
        }
    }
}

impl Display for TrappedKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TrappedKey {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

async fn down() -> Result<Option<u64>, Error> {
    Err(Error::other("down"))
}

/// Invalidates the key when it is hashed for the nth time. If the read holds the fence's lock, the
/// invalidation must wait for the read, so the read waits for it only for a short time.
fn invalidate_at(nth: u32, cache: &Cache<TrappedKey, u64>) -> mpsc::Receiver<()> {
    let (done, acknowledged) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (cache, runtime) = (cache.clone(), Handle::current());
    let spring = Box::new(move || {
        runtime.spawn(async move {
            cache.invalidate(&TrappedKey(1)).await;
            // The receiver is gone if the read did not wait.
            let _ = go_on.send(());
            let _ = done.send(());
        });
        let _ = may_go_on.recv_timeout(Duration::from_millis(200));
    });
    TRAP.set(Some(Trap { steps_left: nth, spring }));
    acknowledged
}

/// Reads while the source is down and the key is invalidated at the nth step. Returns the outcome
/// of a later read in the cache.
async fn found_after(nth: u32, cache: Cache<TrappedKey, u64>) -> Option<Outcome> {
    let key = TrappedKey(1);
    let slow = || async {
        tokio::time::sleep(LOAD).await;
        Ok::<_, Error>(Some(7))
    };
    cache.get_or_load(&key, slow).await.unwrap();
    tokio::time::sleep(EXPIRING).await;
    let acknowledged = invalidate_at(nth, &cache);
    let _either_way = cache.get_or_load(&key, down).await;
    TRAP.take().is_none().then_some(())?;
    acknowledged.recv_timeout(Duration::from_secs(10)).unwrap();
    // A reader that waits for the flight ensures that it is over.
    let after = cache.get_or_load(&key, down).await;
    assert!(after.is_err(), "an invalidation at step {nth} was undone: {:?}", after.unwrap());
    Some(cache.get(&key).await.outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_expired_does_not_come_back_when_it_is_invalidated_in_the_middle_of_a_read() {
    let mut n_steps = 0;
    for nth in 1..=N_STEPS {
        let node = crate::support::lonely_node().await;
        let cache = Cache::builder("rows")
            .time_to_live(EXPIRING / 2)
            .grace(Duration::from_secs(60))
            .build(&node)
            .unwrap();
        if let Some(outcome) = found_after(nth, cache).await {
            assert_eq!(outcome, Outcome::Missed, "step {nth}");
            n_steps += 1;
        }
    }
    assert!(n_steps > 2, "the key was hashed {n_steps} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_that_is_refreshed_before_its_deadline() {
    for nth in 1..=N_STEPS {
        let node = crate::support::lonely_node().await;
        let cache = Cache::builder("rows")
            .time_to_live(Duration::from_secs(2))
            .refresh_ahead(1_000.0)
            .build(&node)
            .unwrap();
        if let Some(outcome) = found_after(nth, cache).await {
            assert_eq!(outcome, Outcome::Missed, "step {nth}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_asked_for_twice_and_invalidated_in_between_is_found_both_times() {
    for nth in 1..=N_STEPS {
        let node = crate::support::lonely_node().await;
        let cache = Cache::builder("rows").build(&node).unwrap();
        let acknowledged = invalidate_at(nth, &cache);
        let keys = [TrappedKey(1), TrappedKey(2), TrappedKey(1)];
        let load = |keys: Vec<TrappedKey>| async move {
            Ok::<_, Error>(keys.into_iter().map(|key| (key, 7u64)).collect())
        };
        for read in cache.get_many(&keys, load).await {
            assert_eq!(read.unwrap().value.as_deref(), Some(&7), "step {nth}");
        }
        if TRAP.take().is_none() {
            acknowledged.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        let after = cache.get(&TrappedKey(1)).await;
        let is_not_found = after.value.is_none() && after.outcome != Outcome::Missed;
        assert!(!is_not_found, "step {nth}: a row that exists is remembered as not found");
    }
}
