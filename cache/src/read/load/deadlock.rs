//! Loads that wait for each other: a flight waits for its load, and that for other flights. Where a
//! wait would close a circle, nobody begins it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One for all caches of the process: whoever looks for a circle must see all waits that are there.
/// Only reads within loads come here.
static WAITING: Mutex<()> = Mutex::new(());

/// What a flight or a load waits for.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Arc<Waits>>>);

/// The wait would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlock;

/// A wait of a load for a flight, as long as this lives.
pub(crate) struct Wait {
    by: Arc<Waits>,
    on: Arc<Waits>,
}

impl Waits {
    /// What a load of these flights waits for: nothing yet.
    pub(crate) fn of_a_load(flights: &[Arc<Self>]) -> Arc<Self> {
        let load = Arc::<Self>::default();
        flights.iter().for_each(|flight| flight.all().push(Arc::clone(&load)));
        load
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Waits>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// Of a load for a flight.
    pub(crate) fn begin(by: &Arc<Waits>, on: &Arc<Waits>) -> Result<Self, Deadlock> {
        let _one_at_a_time = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        if reaches(on, by) {
            return Err(Deadlock);
        }
        by.all().push(Arc::clone(on));
        Ok(Self { by: Arc::clone(by), on: Arc::clone(on) })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut all = self.by.all();
        if let Some(at) = all.iter().position(|waits| Arc::ptr_eq(waits, &self.on)) {
            all.swap_remove(at);
        }
    }
}

/// Whether one waits for the other, through any number of flights and loads.
fn reaches(from: &Arc<Waits>, to: &Arc<Waits>) -> bool {
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
        let flights: [Arc<Waits>; 3] = std::array::from_fn(|_| Arc::default());
        let [one, two, three] = &flights;
        let loads = flights.each_ref().map(|flight| Waits::of_a_load(std::slice::from_ref(flight)));
        let [of_one, of_two, of_three] = &loads;
        assert!(Wait::begin(of_one, one).is_err());
        let first = Wait::begin(of_one, two).unwrap();
        let second = Wait::begin(of_two, three).unwrap();
        assert!(Wait::begin(of_one, three).is_ok(), "no circle");
        assert!(Wait::begin(of_three, one).is_err());
        drop(second);
        assert!(Wait::begin(of_three, one).is_ok());
        drop(first);
        assert!(Wait::begin(of_two, one).is_ok());
    }

    #[test]
    fn a_load_of_many_flights_waits_for_none_of_them() {
        let flights: Vec<Arc<Waits>> = (0..3).map(|_| Arc::default()).collect();
        let load = Waits::of_a_load(&flights);
        assert!(flights.iter().all(|flight| Wait::begin(&load, flight).is_err()));
    }
}
