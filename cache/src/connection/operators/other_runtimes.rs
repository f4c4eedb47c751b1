//! The operators' connections of other runtimes than the node's own: one for each that lives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::budget::{Budget, OperatorConnection};

/// So many runtimes have a connection of their own. Of more, the one that has not asked for the longest
/// time loses its connection.
const MAX_RUNTIMES: usize = 8;

/// The connections of other runtimes. Their walks have one share of Redis's time together.
pub(crate) struct OtherRuntimes {
    slots: Slots,
    budget: Arc<Mutex<Budget>>,
}

/// Those that asked last come last.
type Slots = Arc<Mutex<Vec<Slot>>>;

struct Slot {
    runtime: Option<Id>,
    connection: Arc<OperatorConnection>,
    /// Ends what waits for the end of the runtime.
    _end: DropGuard,
}

impl OtherRuntimes {
    pub(super) fn new(budget: Budget) -> Self {
        Self { slots: Slots::default(), budget: Arc::new(Mutex::new(budget)) }
    }

    /// The connection of the runtime that asks now.
    pub(in crate::connection) fn connection(&self) -> Arc<OperatorConnection> {
        let runtime = Handle::try_current().ok();
        let id = runtime.as_ref().map(Handle::id);
        let mut slots = locked(&self.slots);
        if let Some(at) = slots.iter().position(|slot| slot.runtime == id) {
            let slot = slots.remove(at);
            let connection = Arc::clone(&slot.connection);
            slots.push(slot);
            return connection;
        }
        let connection = Arc::new(OperatorConnection::of_another_runtime(Arc::clone(&self.budget)));
        let end = CancellationToken::new();
        let slot = Slot {
            runtime: id,
            connection: Arc::clone(&connection),
            _end: end.clone().drop_guard(),
        };
        slots.push(slot);
        let oldest = (slots.len() > MAX_RUNTIMES).then(|| slots.remove(0));
        // What drops it, and what waits, may run at once.
        drop(slots);
        drop(oldest);
        if let Some(runtime) = runtime {
            let slots = Arc::downgrade(&self.slots);
            let leaving = Leaving { slots, connection: Arc::downgrade(&connection) };
            runtime.spawn(leaving.wait(end));
        }
        connection
    }

    /// How many runtimes have a connection.
    #[cfg(test)]
    fn len(&self) -> usize {
        locked(&self.slots).len()
    }
}

/// Removes the connection of a runtime when that ends, which drops all of its tasks.
struct Leaving {
    slots: Weak<Mutex<Vec<Slot>>>,
    connection: Weak<OperatorConnection>,
}

impl Leaving {
    async fn wait(self, end: CancellationToken) {
        end.cancelled().await;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let Some(slots) = self.slots.upgrade() else { return };
        let is_it = |slot: &mut Slot| Arc::as_ptr(&slot.connection) == self.connection.as_ptr();
        let gone: Vec<_> = locked(&slots).extract_if(.., is_it).collect();
        // The lock is free again.
        drop(gone);
    }
}

fn locked(slots: &Mutex<Vec<Slot>>) -> MutexGuard<'_, Vec<Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};

    use super::super::budget::OperatorConnections;
    use super::*;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).build().unwrap()
    }

    fn slot(all: &OperatorConnections, runtime: &Runtime) -> Arc<OperatorConnection> {
        let _inside = runtime.enter();
        all.elsewhere.connection()
    }

    #[test]
    fn each_living_runtime_keeps_its_own_connection() {
        let all = OperatorConnections::default();
        let (one, other) = (runtime(), runtime());
        let first = slot(&all, &one);
        assert!(!Arc::ptr_eq(&first, &slot(&all, &other)));
        assert!(Arc::ptr_eq(&first, &slot(&all, &one)), "the other one has not taken it away");
        other.shutdown_timeout(Duration::from_secs(60));
        assert_eq!(all.elsewhere.len(), 1, "it has gone with its runtime");
        drop(all);
        drop(first);
    }

    #[test]
    fn of_many_runtimes_those_that_asked_last_have_a_connection() {
        let all = OperatorConnections::default();
        let runtimes: Vec<_> = (0..MAX_RUNTIMES + 2).map(|_| runtime()).collect();
        let first = slot(&all, &runtimes[0]);
        for another in &runtimes[1..MAX_RUNTIMES] {
            slot(&all, another);
        }
        assert!(Arc::ptr_eq(&first, &slot(&all, &runtimes[0])));
        slot(&all, &runtimes[MAX_RUNTIMES]);
        assert_eq!(all.elsewhere.len(), MAX_RUNTIMES);
        assert!(Arc::ptr_eq(&first, &slot(&all, &runtimes[0])), "it has asked of late");
    }

    #[test]
    fn what_waits_for_the_end_of_a_runtime_ends_with_the_node() {
        let all = OperatorConnections::default();
        let one = runtime();
        slot(&all, &one);
        let tasks = one.metrics();
        assert_eq!(tasks.num_alive_tasks(), 1);
        drop(all);
        let ended = std::iter::repeat_with(|| tasks.num_alive_tasks()).find(|alive| *alive == 0);
        assert_eq!(ended, Some(0));
    }
}
