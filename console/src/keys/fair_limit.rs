//! A limit on how much runs at a time that is fair to peers: the second request of a peer comes
//! after the first requests of all others who wait.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::access::{Actor, Peer};

/// A semaphore whose next permit goes to people who may act, then to the peer that has the fewest
/// permits, then to the peer whose last permit is longest ago.
#[derive(Debug)]
pub(crate) struct FairLimit {
    bounds: FairBounds,
    state: Mutex<State>,
}

/// How many permits there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FairBounds {
    /// In all.
    pub(crate) total: usize,
    /// For people who may not act. The rest is kept free for people who may.
    pub(crate) without_act: usize,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    waiting: Vec<Waiter>,
    /// The peers that have a permit or wait for one.
    peers: HashMap<Peer, Usage>,
    running: usize,
    running_without_act: usize,
    n_given: u64,
}

#[derive(Debug)]
struct Waiter {
    requester: Requester,
    given: oneshot::Sender<FairPermit>,
}

#[derive(Clone, Debug)]
struct Requester {
    peer: Peer,
    may_act: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    running: usize,
    /// The number of the last permit.
    last: u64,
}

/// Something that runs under the limit, until this is dropped.
#[derive(Debug)]
pub(crate) struct FairPermit {
    limit: Arc<FairLimit>,
    requester: Requester,
}

impl FairBounds {
    /// One peer never has all permits, unless there is only one.
    fn per_peer(self, may_act: bool) -> usize {
        let n = if may_act { self.total } else { self.without_act };
        n.saturating_sub(1).max(1)
    }
}

impl FairLimit {
    pub(crate) fn new(bounds: FairBounds) -> Arc<Self> {
        Arc::new(Self { bounds, state: Mutex::default() })
    }

    /// Waits for a permit. If the future is dropped, its place in the queue is given up and no
    /// permit is lost.
    pub(crate) async fn acquire(self: &Arc<Self>, actor: &Actor) -> Option<FairPermit> {
        let requester = Requester { peer: actor.peer(), may_act: actor.rights.act };
        let (given, permit) = oneshot::channel();
        self.state().waiting.push(Waiter { requester, given });
        self.give();
        permit.await.ok()
    }

    /// Gives out the permits that are free.
    fn give(self: &Arc<Self>) {
        loop {
            let next = self.state().next(self.bounds);
            let Some(Waiter { requester, given }) = next else { return };
            // If the waiter has gone meanwhile, the permit is dropped, which gives it back.
            drop(given.send(FairPermit { limit: Arc::clone(self), requester }));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes out the waiter that gets the next permit, which counts from now on.
    fn next(&mut self, bounds: FairBounds) -> Option<Waiter> {
        self.waiting.retain(|waiter| !waiter.given.is_closed());
        let Self { waiting, peers, .. } = self;
        peers.retain(|peer, usage| {
            usage.running > 0 || waiting.iter().any(|waiter| waiter.requester.peer == *peer)
        });
        let usage =
            |requester: &Requester| self.peers.get(&requester.peer).copied().unwrap_or_default();
        let has_room = |requester: &Requester| {
            self.running < bounds.total
                && (requester.may_act || self.running_without_act < bounds.without_act)
                && usage(requester).running < bounds.per_peer(requester.may_act)
        };
        let all = self.waiting.iter().enumerate();
        let (at, _) = all.filter(|(_, waiter)| has_room(&waiter.requester)).min_by_key(
            |(at, Waiter { requester, .. })| {
                let Usage { running, last } = usage(requester);
                (Reverse(requester.may_act), running, last, *at)
            },
        )?;
        let next = self.waiting.remove(at);
        self.begin(&next.requester);
        Some(next)
    }

    fn begin(&mut self, requester: &Requester) {
        self.n_given += 1;
        self.running += 1;
        self.running_without_act += usize::from(!requester.may_act);
        let usage = self.peers.entry(requester.peer.clone()).or_default();
        *usage = Usage { running: usage.running + 1, last: self.n_given };
    }

    fn end(&mut self, requester: &Requester) {
        self.running = self.running.saturating_sub(1);
        self.running_without_act =
            self.running_without_act.saturating_sub(usize::from(!requester.may_act));
        if let Some(usage) = self.peers.get_mut(&requester.peer) {
            usage.running = usage.running.saturating_sub(1);
        }
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        self.limit.state().end(&self.requester);
        self.limit.give();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ONE: FairBounds = FairBounds { total: 1, without_act: 1 };
    const FOUR: FairBounds = FairBounds { total: 4, without_act: 3 };

    /// Somebody in the line.
    struct Waits {
        line: Pin<Box<dyn Future<Output = Option<FairPermit>>>>,
        came: Option<FairPermit>,
    }

    impl Waits {
        fn begin(limit: &Arc<FairLimit>, actor: &Actor) -> Self {
            let (limit, actor) = (Arc::clone(limit), actor.clone());
            let mut waits =
                Self { line: Box::pin(async move { limit.acquire(&actor).await }), came: None };
            waits.came = waits.look();
            waits
        }

        fn look(&mut self) -> Option<FairPermit> {
            match self.line.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(turn) => turn,
                Poll::Pending => None,
            }
        }

        /// The turn, if it has come.
        fn turn(&mut self) -> Option<FairPermit> {
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
        let limit = FairLimit::new(FOUR);
        let mut of_anna: Vec<_> = (0..8).map(|_| Waits::begin(&limit, &viewer("anna"))).collect();
        let of_anna: Vec<_> = of_anna.iter_mut().filter_map(Waits::turn).collect();
        assert_eq!(of_anna.len(), 2);
        let of_ben = Waits::begin(&limit, &viewer("ben")).turn();
        assert!(of_ben.is_some());
        assert!(Waits::begin(&limit, &viewer("eva")).turn().is_none());
        assert!(Waits::begin(&limit, &operator("olga")).turn().is_some());
    }

    #[test]
    fn the_next_of_a_peer_comes_after_the_first_of_another() {
        let limit = FairLimit::new(ONE);
        let mut of_anna: Vec<_> = (0..3).map(|_| Waits::begin(&limit, &viewer("anna"))).collect();
        let mut of_ben: Vec<_> = (0..2).map(|_| Waits::begin(&limit, &viewer("ben"))).collect();
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
        let limit = FairLimit::new(ONE);
        let first = Waits::begin(&limit, &viewer("anna")).turn().unwrap();
        let mut of_ben = Waits::begin(&limit, &viewer("ben"));
        let mut of_olga = Waits::begin(&limit, &operator("olga"));
        drop(first);
        let second = of_olga.turn().unwrap();
        assert!(of_ben.turn().is_none());
        drop(second);
        assert!(of_ben.turn().is_some());
    }

    #[test]
    fn a_turn_that_nobody_takes_any_more_goes_to_the_next_and_nothing_is_kept() {
        let limit = FairLimit::new(ONE);
        let first = Waits::begin(&limit, &viewer("anna")).turn().unwrap();
        let (gone, given) =
            (Waits::begin(&limit, &viewer("ben")), Waits::begin(&limit, &viewer("eva")));
        let mut last = Waits::begin(&limit, &viewer("ina"));
        drop(gone);
        drop(first);
        assert!(last.turn().is_none(), "eva has it and has not looked yet");
        drop(given);
        drop(last.turn().unwrap());
        let state = limit.state();
        assert!(state.waiting.is_empty() && state.peers.is_empty());
        assert_eq!((state.running, state.running_without_act), (0, 0));
    }
}
