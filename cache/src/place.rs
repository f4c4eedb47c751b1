use strata_report::Outcome;

use crate::core::Core;
use crate::seat::Seat;
use crate::waiting::Waiting;
use crate::{Key, LoadError, Read, Value};

/// Where one read stands after L1.
pub(crate) enum Place<'a, K: Key, V: Value> {
    Answered(Read<V>),
    /// Waits for a flight, its own or another's.
    Waits(Waiting<'a, K, V>),
    /// Waits for what its scout finds.
    Scouts,
    /// The same key again: waits for what the scout at this place finds.
    Repeats(usize),
}

/// A place, and the leader's seat in a flight where the read took that too.
pub(crate) type Seated<'a, K, V> = (Place<'a, K, V>, Option<Seat<K, V>>);

impl<'a, K: Key, V: Value> Place<'a, K, V> {
    /// For a read of the same key.
    pub(crate) fn again(&self, core: &'a Core<K, V>, key: &K) -> Self {
        let label = core.label(key);
        match self {
            Self::Answered(read) => {
                core.recorder.outcome(label, Outcome::Coalesced, None);
                let outcome = Outcome::Coalesced;
                Self::Answered(Read { value: read.value.clone(), outcome, ..*read })
            }
            Self::Waits(waiting) => Self::Waits(waiting.again()),
            Self::Scouts | Self::Repeats(_) => Self::Scouts,
        }
    }

    /// The answer, once it is there.
    pub(crate) async fn read(self) -> Result<Read<V>, LoadError> {
        match self {
            Self::Answered(read) => Ok(read),
            Self::Waits(waiting) => waiting.for_the_flight().await,
            Self::Scouts | Self::Repeats(_) => Err(LoadError::Panicked),
        }
    }
}
