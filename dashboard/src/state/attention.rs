//! Whether somebody looks at a dashboard, so that nodes elsewhere are read as often as that needs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_console::{Console, Pace, RemoteNodes};
use tokio::time::{Instant, sleep, timeout};

/// So long after the last request for it, nobody looks at a dashboard any more.
const LOOKED_AT_FOR: Duration = Duration::from_secs(30);

/// How long the first who looks waits for nodes that were not read until then, and for the numbers
/// that they then are in.
const FIRST_READ: Duration = Duration::from_secs(1);
const NEXT_TICK: Duration = Duration::from_secs(2);

/// Whether somebody looks at a dashboard over nodes elsewhere. They are read once a second then, and
/// rarely otherwise.
pub struct Attention {
    console: Console,
    nodes: RemoteNodes,
    when_idle: WhenIdle,
    last_look: Mutex<Option<Instant>>,
}

/// What becomes of nodes elsewhere while nobody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenIdle {
    /// They are read every five seconds.
    ReadRarely,
    /// The same where there are so many of them at most; more are not read at all.
    ReadFewRarely(usize),
}

impl Attention {
    /// Of a console over these nodes, at which nobody looks yet.
    pub fn new(console: Console, nodes: RemoteNodes, when_idle: WhenIdle) -> Self {
        nodes.set_pace(Pace::Unwatched);
        Self { console, nodes, when_idle, last_look: Mutex::default() }
    }

    /// Somebody looks now.
    pub(crate) async fn look(&self) {
        *self.last_look.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if self.nodes.wake(FIRST_READ).await {
            let _: Result<_, _> = timeout(NEXT_TICK, self.console.subscribe().changed()).await;
        }
    }

    /// Goes on at the pace that it is looked at.
    pub fn keep_pace(&self) {
        let last = *self.last_look.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = last.is_some_and(|last| last.elapsed() < LOOKED_AT_FOR);
        let is_watched = is_recent || self.console.is_followed();
        self.nodes.set_pace(match (is_watched, self.nodes.pace(), self.when_idle) {
            (true, ..) => Pace::Watched,
            (false, Pace::Asleep, _) => Pace::Asleep,
            (false, _, WhenIdle::ReadFewRarely(most)) if self.nodes.n_known() > most => {
                Pace::Asleep
            }
            (false, ..) => Pace::Unwatched,
        });
    }

    /// The same again and again, for ever.
    pub(crate) async fn keep_pace_for_ever(&self) {
        loop {
            self.keep_pace();
            sleep(Duration::from_secs(1)).await;
        }
    }
}
