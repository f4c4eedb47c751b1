//! Loads that wait for each other: which flights the load of a flight waits for. Where a wait would
//! close a circle, nobody begins it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One for all caches of the process: whoever looks for a circle must see all waits that are there.
/// Only reads within loads come here.
static WAITING: Mutex<()> = Mutex::new(());

/// What the load of one flight waits for.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Arc<Waits>>>);

/// The wait would never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlock;

/// A wait of a load for a flight, as long as this lives.
pub(crate) struct Wait {
    by: Vec<Arc<Waits>>,
    on: Arc<Waits>,
}

impl Waits {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Waits>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// Of the load of some flights for another flight.
    pub(crate) fn begin(by: &[Arc<Waits>], on: &Arc<Waits>) -> Result<Self, Deadlock> {
        let _one_at_a_time = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        if reaches(on, by) {
            return Err(Deadlock);
        }
        by.iter().for_each(|flight| flight.all().push(Arc::clone(on)));
        Ok(Self { by: by.to_vec(), on: Arc::clone(on) })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        for flight in &self.by {
            let mut all = flight.all();
            if let Some(at) = all.iter().position(|waits| Arc::ptr_eq(waits, &self.on)) {
                all.swap_remove(at);
            }
        }
    }
}

/// Whether one of the flights is waited for, through any number of loads.
fn reaches(from: &Arc<Waits>, any: &[Arc<Waits>]) -> bool {
    let any: HashSet<_> = any.iter().map(Arc::as_ptr).collect();
    let (mut seen, mut next) = (HashSet::new(), vec![Arc::clone(from)]);
    while let Some(flight) = next.pop() {
        if any.contains(&Arc::as_ptr(&flight)) {
            return true;
        }
        if seen.insert(Arc::as_ptr(&flight)) {
            next.extend(flight.all().iter().cloned());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_would_close_a_circle_is_refused_and_one_that_ended_counts_no_more() {
        let [one, two, three]: [Arc<Waits>; 3] = std::array::from_fn(|_| Arc::default());
        let of = std::slice::from_ref::<Arc<Waits>>;
        assert!(Wait::begin(of(&one), &one).is_err());
        let first = Wait::begin(of(&one), &two).unwrap();
        let second = Wait::begin(of(&two), &three).unwrap();
        assert!(Wait::begin(of(&one), &three).is_ok(), "no circle");
        assert!(Wait::begin(of(&three), &one).is_err());
        drop(second);
        assert!(Wait::begin(of(&three), &one).is_ok());
        drop(first);
        assert!(Wait::begin(of(&two), &one).is_ok());
    }
}
