//! Finds loads that wait for each other. A flight waits for its load, and the load may wait for
//! other flights. A wait that would close a circle is refused.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One lock for all caches of the process, since a search for circles must see all waits. Only
/// reads within loads take it.
static WAITING: Mutex<()> = Mutex::new(());

/// The waits of a flight or a load.
#[derive(Default)]
pub(crate) struct WaitNode(Mutex<Vec<Arc<WaitNode>>>);

/// The wait would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlock;

/// The wait of a load for a flight, as long as this value lives.
pub(crate) struct WaitEdge {
    by: Arc<WaitNode>,
    on: Arc<WaitNode>,
}

impl WaitNode {
    /// The node of a load of these flights, which does not wait for anything yet.
    pub(crate) fn of_a_load(flights: &[Arc<Self>]) -> Arc<Self> {
        let load = Arc::<Self>::default();
        flights.iter().for_each(|flight| flight.all().push(Arc::clone(&load)));
        load
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<WaitNode>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitEdge {
    /// Begins the wait of a load for a flight.
    pub(crate) fn begin(by: &Arc<WaitNode>, on: &Arc<WaitNode>) -> Result<Self, Deadlock> {
        let _one_at_a_time = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        if reaches(on, by) {
            return Err(Deadlock);
        }
        by.all().push(Arc::clone(on));
        Ok(Self { by: Arc::clone(by), on: Arc::clone(on) })
    }
}

impl Drop for WaitEdge {
    fn drop(&mut self) {
        let mut all = self.by.all();
        if let Some(at) = all.iter().position(|waits| Arc::ptr_eq(waits, &self.on)) {
            all.swap_remove(at);
        }
    }
}

/// Whether `from` waits for `to`, through any number of flights and loads.
fn reaches(from: &Arc<WaitNode>, to: &Arc<WaitNode>) -> bool {
    let (mut seen, mut next) = (HashSet::new(), vec![Arc::clone(from)]);
    while let Some(waits) = next.pop() {
        if Arc::ptr_eq(&waits, to) {
            return true;
        }
        if seen.insert(Arc::as_ptr(&waits)) {
            next.extend(waits.all().iter().cloned());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_would_close_a_circle_is_refused_and_one_that_ended_counts_no_more() {
        let flights: [Arc<WaitNode>; 3] = std::array::from_fn(|_| Arc::default());
        let [one, two, three] = &flights;
        let loads =
            flights.each_ref().map(|flight| WaitNode::of_a_load(std::slice::from_ref(flight)));
        let [of_one, of_two, of_three] = &loads;
        assert!(WaitEdge::begin(of_one, one).is_err());
        let first = WaitEdge::begin(of_one, two).unwrap();
        let second = WaitEdge::begin(of_two, three).unwrap();
        assert!(WaitEdge::begin(of_one, three).is_ok(), "no circle");
        assert!(WaitEdge::begin(of_three, one).is_err());
        drop(second);
        assert!(WaitEdge::begin(of_three, one).is_ok());
        drop(first);
        assert!(WaitEdge::begin(of_two, one).is_ok());
    }

    #[test]
    fn a_load_of_many_flights_waits_for_none_of_them() {
        let flights: Vec<Arc<WaitNode>> = (0..3).map(|_| Arc::default()).collect();
        let load = WaitNode::of_a_load(&flights);
        assert!(flights.iter().all(|flight| WaitEdge::begin(&load, flight).is_err()));
    }
}
