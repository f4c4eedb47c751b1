//! Keys whose printing panics or blocks, when a test requests it.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

static PANICS: AtomicU64 = AtomicU64::new(u64::MAX);
static HELD: Mutex<Option<u64>> = Mutex::new(None);
static N_HELD: AtomicU64 = AtomicU64::new(0);
static LET_GO: Condvar = Condvar::new();

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Odd(pub(crate) u64);

/// From now on printing this key panics.
pub(crate) fn panic_at(id: u64) {
    PANICS.store(id, Ordering::SeqCst);
}

/// From now on printing this key blocks.
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "held up by a test with Redis"))]
pub(crate) fn hold(id: u64) {
    *HELD.lock().unwrap() = Some(id);
}

#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "held up by a test with Redis"))]
pub(crate) fn let_go() {
    *HELD.lock().unwrap() = None;
    LET_GO.notify_all();
}

/// How many threads are blocked.
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "held up by a test with Redis"))]
pub(crate) fn n_held() -> u64 {
    N_HELD.load(Ordering::SeqCst)
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(PANICS.load(Ordering::SeqCst), self.0, "cannot be printed");
        let held = HELD.lock().unwrap();
        if *held == Some(self.0) {
            N_HELD.fetch_add(1, Ordering::SeqCst);
            drop(LET_GO.wait_while(held, |held| *held == Some(self.0)).unwrap());
            N_HELD.fetch_sub(1, Ordering::SeqCst);
        }
        write!(f, "{}", self.0)
    }
}

impl FromStr for Odd {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
