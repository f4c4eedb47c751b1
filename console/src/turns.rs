//! Turns in a fair order: a peer's next one comes after the first ones of all others who wait.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::Actor;
use crate::access::Peer;

/// Bounds how many run at the same time. Who may act comes first; else the peer that has the fewest
/// turns, and of those the one whose last turn is longest ago.
#[derive(Debug)]
pub(crate) struct Turns {
    bounds: TurnBounds,
    state: Mutex<State>,
}

/// How many turns there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnBounds {
    /// In all.
    pub(crate) in_all: usize,
    /// Of those who may not act. The rest is kept free for those who may.
    pub(crate) of_lookers: usize,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    waiting: Vec<Waiting>,
    /// Those who have a turn or wait for one.
    peers: HashMap<Peer, Had>,
    running: usize,
    lookers_running: usize,
    n_given: u64,
}

#[derive(Debug)]
struct Waiting {
    whose: Whose,
    given: oneshot::Sender<Turn>,
}

#[derive(Clone, Debug)]
struct Whose {
    peer: Peer,
    may_act: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Had {
    running: usize,
    /// The number of the last turn.
    last: u64,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    whose: Whose,
}

impl TurnBounds {
    /// One peer never has all turns, unless there is one only.
    fn of_peer(self, may_act: bool) -> usize {
        let n = if may_act { self.in_all } else { self.of_lookers };
        n.saturating_sub(1).max(1)
    }
}

impl Turns {
    pub(crate) fn new(bounds: TurnBounds) -> Arc<Self> {
        Arc::new(Self { bounds, state: Mutex::default() })
    }

    /// Waits for a turn. Dropped, it waits no longer, and loses none.
    pub(crate) async fn next(self: &Arc<Self>, actor: &Actor) -> Option<Turn> {
        let whose = Whose { peer: actor.peer(), may_act: actor.rights.act };
        let (given, turn) = oneshot::channel();
        self.state().waiting.push(Waiting { whose, given });
        self.give();
        turn.await.ok()
    }

    /// Gives what turns there are.
    fn give(self: &Arc<Self>) {
        loop {
            let next = self.state().next(self.bounds);
            let Some(Waiting { whose, given }) = next else { return };
            // One that has gone meanwhile drops its turn, which gives it back.
            drop(given.send(Turn { turns: Arc::clone(self), whose }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next that has a turn, which counts from now on.
    fn next(&mut self, bounds: TurnBounds) -> Option<Waiting> {
        self.waiting.retain(|waiting| !waiting.given.is_closed());
        let Self { waiting, peers, .. } = self;
        peers.retain(|peer, had| {
            had.running > 0 || waiting.iter().any(|waiting| waiting.whose.peer == *peer)
        });
        let had = |whose: &Whose| self.peers.get(&whose.peer).copied().unwrap_or_default();
        let has_room = |whose: &Whose| {
            self.running < bounds.in_all
                && (whose.may_act || self.lookers_running < bounds.of_lookers)
                && had(whose).running < bounds.of_peer(whose.may_act)
        };
        let of_all = self.waiting.iter().enumerate();
        let (at, _) = of_all.filter(|(_, waiting)| has_room(&waiting.whose)).min_by_key(
            |(at, Waiting { whose, .. })| {
                let Had { running, last } = had(whose);
                (Reverse(whose.may_act), running, last, *at)
            },
        )?;
        let next = self.waiting.remove(at);
        self.begin(&next.whose);
        Some(next)
    }

    fn begin(&mut self, whose: &Whose) {
        self.n_given += 1;
        self.running += 1;
        self.lookers_running += usize::from(!whose.may_act);
        let had = self.peers.entry(whose.peer.clone()).or_default();
        *had = Had { running: had.running + 1, last: self.n_given };
    }

    fn end(&mut self, whose: &Whose) {
        self.running = self.running.saturating_sub(1);
        self.lookers_running = self.lookers_running.saturating_sub(usize::from(!whose.may_act));
        if let Some(had) = self.peers.get_mut(&whose.peer) {
            had.running = had.running.saturating_sub(1);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.state().end(&self.whose);
        self.turns.give();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ONE: TurnBounds = TurnBounds { in_all: 1, of_lookers: 1 };
    const FOUR: TurnBounds = TurnBounds { in_all: 4, of_lookers: 3 };

    /// Somebody in the line.
    struct Waits {
        line: Pin<Box<dyn Future<Output = Option<Turn>>>>,
        came: Option<Turn>,
    }

    impl Waits {
        fn begin(turns: &Arc<Turns>, actor: &Actor) -> Self {
            let (turns, actor) = (Arc::clone(turns), actor.clone());
            let mut waits =
                Self { line: Box::pin(async move { turns.next(&actor).await }), came: None };
            waits.came = waits.look();
            waits
        }

        fn look(&mut self) -> Option<Turn> {
            match self.line.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(turn) => turn,
                Poll::Pending => None,
            }
        }

        /// The turn, if it has come.
        fn turn(&mut self) -> Option<Turn> {
            self.came.take().or_else(|| self.look())
        }
    }

    fn viewer(name: &str) -> Actor {
        Actor { name: name.to_owned(), is_known: true, ..Actor::nobody() }
    }

    fn operator(name: &str) -> Actor {
        Actor { name: name.to_owned(), is_known: true, ..Actor::local() }
    }

    #[test]
    fn however_many_look_one_turn_is_left_to_who_may_act() {
        let turns = Turns::new(FOUR);
        let mut of_anna: Vec<_> = (0..8).map(|_| Waits::begin(&turns, &viewer("anna"))).collect();
        let of_anna: Vec<_> = of_anna.iter_mut().filter_map(Waits::turn).collect();
        assert_eq!(of_anna.len(), 2);
        let of_ben = Waits::begin(&turns, &viewer("ben")).turn();
        assert!(of_ben.is_some());
        assert!(Waits::begin(&turns, &viewer("eva")).turn().is_none());
        assert!(Waits::begin(&turns, &operator("olga")).turn().is_some());
    }

    #[test]
    fn the_next_of_a_peer_comes_after_the_first_of_another() {
        let turns = Turns::new(ONE);
        let mut of_anna: Vec<_> = (0..3).map(|_| Waits::begin(&turns, &viewer("anna"))).collect();
        let mut of_ben: Vec<_> = (0..2).map(|_| Waits::begin(&turns, &viewer("ben"))).collect();
        let first = of_anna[0].turn().unwrap();
        assert!(of_anna[1].turn().is_none() && of_ben[0].turn().is_none());
        drop(first);
        let second = of_ben[0].turn().unwrap();
        assert!(of_anna[1].turn().is_none());
        drop(second);
        let third = of_anna[1].turn().unwrap();
        drop(third);
        assert!(of_ben[1].turn().is_some() && of_anna[2].turn().is_some());
    }

    #[test]
    fn who_may_act_goes_before_all_who_came_earlier_and_may_not() {
        let turns = Turns::new(ONE);
        let first = Waits::begin(&turns, &viewer("anna")).turn().unwrap();
        let mut of_ben = Waits::begin(&turns, &viewer("ben"));
        let mut of_olga = Waits::begin(&turns, &operator("olga"));
        drop(first);
        let second = of_olga.turn().unwrap();
        assert!(of_ben.turn().is_none());
        drop(second);
        assert!(of_ben.turn().is_some());
    }

    #[test]
    fn a_turn_that_nobody_takes_any_more_goes_to_the_next_and_nothing_is_kept() {
        let turns = Turns::new(ONE);
        let first = Waits::begin(&turns, &viewer("anna")).turn().unwrap();
        let (gone, given) =
            (Waits::begin(&turns, &viewer("ben")), Waits::begin(&turns, &viewer("eva")));
        let mut last = Waits::begin(&turns, &viewer("ina"));
        drop(gone);
        drop(first);
        assert!(last.turn().is_none(), "eva has it and has not looked yet");
        drop(given);
        drop(last.turn().unwrap());
        let state = turns.state();
        assert!(state.waiting.is_empty() && state.peers.is_empty());
        assert_eq!((state.running, state.lookers_running), (0, 0));
    }
}
