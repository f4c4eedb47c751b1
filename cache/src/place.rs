use strata_report::Outcome;
use tokio::time::Instant;

use crate::core::Core;
use crate::recorder::Label;
use crate::seat::Seat;
use crate::waiting::Waiting;
use crate::{Key, LoadError, Read, Value};

/// Where one read stands after L1.
pub(crate) enum Place<'a, K: Key, V: Value> {
    Answered(Read<V>),
    /// Must not wait.
    Refused(LoadError),
    /// Waits for a flight, its own or another's.
    Waits(Waiting<'a, K, V>),
    /// Waits for what its scout finds.
    Scouts,
    /// The same key again: waits for what the scout at this place finds.
    Repeats {
        at: usize,
        label: Label,
    },
}

/// A place, and the leader's seat in a flight where the read took that too.
pub(crate) type Seated<'a, K, V> = (Place<'a, K, V>, Option<Seat<K, V>>);

impl<'a, K: Key, V: Value> Place<'a, K, V> {
    /// Puts what the scouts found in their places.
    pub(crate) fn fill_in(places: &mut [Self], found: Vec<Self>, core: &'a Core<K, V>) {
        for place in places.iter_mut() {
            if let Self::Repeats { at, label } = *place {
                *place = found[at].again(core, label);
            }
        }
        let scouts = places.iter_mut().filter(|place| matches!(place, Self::Scouts));
        for (place, found) in scouts.zip(found) {
            *place = found;
        }
    }

    /// For one more read of the same key.
    fn again(&self, core: &'a Core<K, V>, label: Label) -> Self {
        match self {
            Self::Answered(read) => {
                let outcome = Outcome::Coalesced;
                core.recorder.outcome(label, outcome, None);
                Self::Answered(Read { value: read.value.clone(), outcome, ..*read })
            }
            Self::Refused(error) => Self::Refused(error.clone()),
            Self::Waits(waiting) => Self::Waits(waiting.again()),
            Self::Scouts | Self::Repeats { .. } => Self::Scouts,
        }
    }

    /// A wait began with this.
    pub(crate) fn since(self, began: Instant) -> Self {
        match self {
            Self::Waits(waiting) => Self::Waits(waiting.since(began)),
            place => place,
        }
    }

    /// The answer, once it is there.
    pub(crate) async fn read(self) -> Result<Read<V>, LoadError> {
        match self {
            Self::Answered(read) => Ok(read),
            Self::Refused(error) => Err(error),
            Self::Waits(waiting) => waiting.for_the_flight().await,
            Self::Scouts | Self::Repeats { .. } => Err(LoadError::Panicked),
        }
    }
}
