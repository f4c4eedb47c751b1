//! Whether somebody looks at a dashboard, so that nodes elsewhere are read as often as that needs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_console::{Console, Pace, RemoteNodes};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// So long after the last request for it, nobody looks at a dashboard any more.
const LOOKED_AT_FOR: Duration = Duration::from_secs(30);

/// How long whoever looks waits for numbers of nodes that are not read yet, from when they begin to
/// be read.
const FIRST_READ: Duration = Duration::from_secs(3);

/// How often nodes that are not read are counted, and how long that may take.
const COUNTED_AGAIN: Duration = Duration::from_secs(10);
const COUNTED_WITHIN: Duration = Duration::from_secs(3);

/// Whether somebody looks at a dashboard over nodes elsewhere. They are read once a second then, and
/// rarely otherwise.
pub struct Attention {
    console: Console,
    nodes: RemoteNodes,
    when_idle: WhenIdle,
    looks: Mutex<Looks>,
}

/// What becomes of nodes elsewhere while nobody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenIdle {
    /// They are read every five seconds.
    ReadRarely,
    /// The same where there are so many of them at most; more are not read at all. They are counted
    /// before they are read first, and again every ten seconds while they are not read: those of a
    /// fleet that has shrunk by a quarter below that number are read again.
    ReadFewRarely(u64),
}

/// Who looks, or looked. Locked while it is decided how often nodes are read.
#[derive(Default)]
struct Looks {
    last: Option<Instant>,
    /// Requests that are being answered.
    under_way: usize,
    /// How many nodes there are, as counted since it was last decided.
    counted: Option<u64>,
}

/// A look that is being answered, until this is dropped.
pub(crate) struct LookUnderWay(Arc<Attention>);

/// What somebody asks for who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A page or numbers: more are asked for soon.
    Once,
    /// A stream, which is a look while it lasts.
    Stream,
}

impl Attention {
    /// Of a console over these nodes, at which nobody looks yet.
    pub fn new(console: Console, nodes: RemoteNodes, when_idle: WhenIdle) -> Self {
        nodes.set_pace(when_idle.first());
        Self { console, nodes, when_idle, looks: Mutex::default() }
    }

    /// Somebody looks now. Where nothing was heard of the nodes yet, everybody waits for that, until
    /// three seconds after they began to be read.
    pub(crate) async fn look(self: Arc<Self>, look: Look) -> LookUnderWay {
        {
            let mut looks = self.looks();
            looks.under_way += 1;
            if look == Look::Once {
                looks.last = Some(Instant::now());
            }
            self.nodes.wake();
        }
        let under_way = LookUnderWay(self);
        under_way.0.until_heard().await;
        under_way
    }

    async fn until_heard(&self) {
        let mut ticks = self.console.subscribe();
        let heard = ticks.wait_for(|tick| {
            let fleet = tick.frame.fleet.as_ref();
            fleet.is_none_or(|fleet| !fleet.is_unread)
        });
        let _: Result<_, _> = timeout_at(self.nodes.read_since() + FIRST_READ, heard).await;
    }

    /// Goes on at the pace that it is looked at.
    pub fn keep_pace(&self) {
        let mut looks = self.looks();
        let is_recent = looks.last.is_some_and(|last| last.elapsed() < LOOKED_AT_FOR);
        let is_watched = is_recent || looks.under_way > 0 || self.console.is_followed();
        let counted = looks.counted.take();
        let pace = match is_watched {
            true => Pace::Watched,
            false => self.when_idle.pace((self.nodes.pace(), self.nodes.n_known()), counted),
        };
        self.nodes.set_pace(pace);
    }

    /// The same again and again, for ever.
    pub(crate) async fn keep_pace_for_ever(&self) {
        let mut counted_at: Option<Instant> = None;
        loop {
            let is_due = counted_at.is_none_or(|at| at.elapsed() >= COUNTED_AGAIN);
            if is_due && self.nodes.pace() == Pace::Asleep && self.count().await {
                counted_at = Some(Instant::now());
            }
            self.keep_pace();
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Counts the nodes, and says whether Redis has told.
    async fn count(&self) -> bool {
        let Ok(Ok(counted)) = timeout(COUNTED_WITHIN, self.nodes.count()).await else {
            return false;
        };
        self.looks().counted = Some(counted);
        true
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WhenIdle {
    /// Before anything is known of the nodes.
    pub(crate) fn first(self) -> Pace {
        match self {
            Self::ReadRarely => Pace::Unwatched,
            Self::ReadFewRarely(_) => Pace::Asleep,
        }
    }

    /// The next pace while nobody looks, of nodes of which so many are known at this one, or were
    /// counted.
    fn pace(self, (pace, known): (Pace, usize), counted: Option<u64>) -> Pace {
        let Self::ReadFewRarely(most) = self else { return Pace::Unwatched };
        let is_asleep = match pace {
            // So that one node more or less does not change it back and forth.
            Pace::Asleep => counted.is_none_or(|counted| counted > most - most / 4),
            Pace::Watched | Pace::Unwatched => known as u64 > most,
        };
        if is_asleep { Pace::Asleep } else { Pace::Unwatched }
    }
}

impl Drop for LookUnderWay {
    fn drop(&mut self) {
        self.0.looks().under_way -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_fleet_is_read_again_while_nobody_looks_once_it_has_shrunk_well() {
        let idle = WhenIdle::ReadFewRarely(32);
        assert_eq!(idle.first(), Pace::Asleep, "it is counted before it is read");
        for (counted, then) in [
            (None, Pace::Asleep),
            (Some(33), Pace::Asleep),
            (Some(25), Pace::Asleep),
            (Some(24), Pace::Unwatched),
        ] {
            assert_eq!(idle.pace((Pace::Asleep, 0), counted), then, "{counted:?}");
        }
        assert_eq!(idle.pace((Pace::Unwatched, 32), None), Pace::Unwatched);
        assert_eq!(idle.pace((Pace::Watched, 33), None), Pace::Asleep);
        assert_eq!(WhenIdle::ReadRarely.pace((Pace::Watched, 1_000), None), Pace::Unwatched);
    }
}
