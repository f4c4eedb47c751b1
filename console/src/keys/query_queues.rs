//! What an operator's questions may cost at a time.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::fair_limit::{FairBounds, FairLimit, FairPermit};
use crate::access::{Actor, PeerBounds, PeerLimit, PeerPermit};
use crate::error::ConsoleError;
use crate::nodes::on_behalf_of;

/// What there are too many of, where one is refused.
const WHAT: &str = "looks, searches and plans";

/// The queues in which expensive queries wait: searches, plans, comparisons, lists of dead letters.
/// Anonymous requests have queues of their own, so that neither reads of the service nor known
/// people wait for them. Within a queue peers take turns, and people who may act go first.
#[derive(Debug)]
pub(crate) struct QueryQueues {
    anonymous: Queue,
    known: Queue,
    /// Queries about one key cost little, except a question to the source.
    keys_of_anonymous: Queue,
    keys: Queue,
}

#[derive(Debug)]
struct Queue {
    /// The queries that wait or run.
    begun: Arc<PeerLimit>,
    /// The same for people who may act, who are let in however many others wait.
    begun_by_operators: Arc<PeerLimit>,
    /// The queries that run.
    running: Arc<FairLimit>,
}

/// When a query ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// A query that runs, until this is dropped.
pub(crate) struct QueryPermit {
    _begun: PeerPermit,
    _running: FairPermit,
}

impl QueryQueues {
    /// The walks of one query end after this time, with what they have found.
    pub(crate) const LONGEST: Duration = Duration::from_secs(20);

    /// Queries that run or wait, in all and of each peer. More are refused at once.
    pub(crate) const MAX: PeerBounds = PeerBounds { total: 64, per_peer: 8 };

    /// How long a query waits in its queue: longer than most queries run that began just before.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Queries of known people that run at the same time.
    const KNOWN_AT_ONCE: usize = 4;

    /// Queries about one key that run at the same time, in each of the two queues: so many that
    /// nobody waits unless a source is slow.
    const KEYS_AT_ONCE: usize = 16;

    /// Runs a query when its turn has come, on a thread of its own.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`], and those of the query.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        actor: &Actor,
        query: impl Future<Output = Result<T, ConsoleError>> + Send + 'static,
    ) -> Result<T, ConsoleError> {
        let queue = if actor.is_anonymous() { &self.anonymous } else { &self.known };
        let _permit = queue.acquire(actor).await?;
        on_own_thread(on_behalf_of(&actor.name, query)).await
    }

    /// Waits for the turn of a query about one key, which lasts until the permit is dropped.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub(crate) async fn acquire_for_key(&self, actor: &Actor) -> Result<QueryPermit, ConsoleError> {
        let queue = if actor.is_anonymous() { &self.keys_of_anonymous } else { &self.keys };
        queue.acquire(actor).await
    }

    fn on(processors: usize) -> Self {
        // Anonymous queries leave half of the processors to the service's reads.
        let anonymous = (processors / 2).clamp(1, Self::KNOWN_AT_ONCE);
        let (known, keys) = (Self::KNOWN_AT_ONCE, Self::KEYS_AT_ONCE);
        let of_anonymous = |n| Queue::new(FairBounds { total: n, without_act: n });
        let of_known = |n| Queue::new(FairBounds { total: n, without_act: n - 1 });
        Self {
            anonymous: of_anonymous(anonymous),
            known: of_known(known),
            keys_of_anonymous: of_anonymous(keys),
            keys: of_known(keys),
        }
    }

    /// When a query that begins now ends at the latest.
    pub(crate) fn deadline() -> Deadline {
        Deadline(Instant::now() + Self::LONGEST)
    }
}

impl Deadline {
    /// Whether the query has to end with what it has.
    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    /// Runs a walk that has no partial result, such as one over L1.
    ///
    /// # Errors
    /// [`ConsoleError::TooSlow`], and those of the walk.
    pub(crate) async fn walk<T>(
        self,
        cache: &str,
        walk: impl Future<Output = Result<T, ConsoleError>>,
    ) -> Result<T, ConsoleError> {
        match timeout_at(self.0, walk).await {
            Ok(walked) => walked,
            Err(_) => Err(ConsoleError::TooSlow(cache.to_owned())),
        }
    }
}

impl Default for QueryQueues {
    fn default() -> Self {
        Self::on(available_parallelism().map_or(1, usize::from))
    }
}

impl Queue {
    fn new(bounds: FairBounds) -> Self {
        let limit = || PeerLimit::new(QueryQueues::MAX);
        Self { begun: limit(), begun_by_operators: limit(), running: FairLimit::new(bounds) }
    }

    async fn acquire(&self, actor: &Actor) -> Result<QueryPermit, ConsoleError> {
        let limit = if actor.rights.act { &self.begun_by_operators } else { &self.begun };
        let begun = limit.begin(actor.peer(), WHAT)?;
        match timeout(QueryQueues::PATIENCE, self.running.acquire(actor)).await {
            Ok(Some(running)) => Ok(QueryPermit { _begun: begun, _running: running }),
            Ok(None) | Err(_) => Err(ConsoleError::Busy { what: WHAT, how: "came before yours" }),
        }
    }
}

/// Does the work on a thread of its own where the runtime has several: what takes long between two
/// awaits then holds up no other task. Dropped, it ends at its next await.
async fn on_own_thread<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = Handle::current();
    if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work.await;
    }
    let dropped = CancellationToken::new();
    let _dropped = dropped.clone().drop_guard();
    let done =
        spawn_blocking(move || runtime.block_on(async { dropped.run_until_cancelled(work).await }));
    match done.await {
        Ok(Some(done)) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is going down, and this task with it.
        Ok(None) | Err(_) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::mpsc::channel;

    use super::*;

    fn anonymous(last: u8) -> Actor {
        Actor { address: Some([192, 0, 2, last].into()), ..Actor::nobody() }
    }

    fn busy<T>(look: Result<T, ConsoleError>) -> bool {
        matches!(look, Err(ConsoleError::Busy { .. }))
    }

    /// Queries that never end, and are all waiting or running when this returns.
    fn endless(queries: &Arc<QueryQueues>, actor: &Actor, n: usize) -> tokio::task::JoinSet<()> {
        let mut held = tokio::task::JoinSet::new();
        for _ in 0..n {
            let (queries, actor) = (Arc::clone(queries), actor.clone());
            held.spawn(async move {
                let _: Result<(), _> = queries.run(&actor, pending()).await;
            });
        }
        held
    }

    async fn until_begun(queue: &Queue, n: usize) {
        while queue.begun.n_open() < n {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_share_a_peer_is_refused_at_once() {
        let queries = Arc::new(QueryQueues::on(2));
        let _held = endless(&queries, &anonymous(1), QueryQueues::MAX.per_peer);
        until_begun(&queries.anonymous, QueryQueues::MAX.per_peer).await;
        let began = Instant::now();
        assert!(busy(queries.run(&anonymous(1), ready(Ok(()))).await));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(busy(queries.run(&anonymous(2), ready(Ok(()))).await), "the first never ends");
        assert_eq!(began.elapsed(), QueryQueues::PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn on_two_processors_too_an_anonymous_peer_waits_for_one_query_of_another_and_no_more() {
        let queries = Arc::new(QueryQueues::on(2));
        let mut held = tokio::task::JoinSet::new();
        for _ in 0..QueryQueues::MAX.per_peer {
            let queries = Arc::clone(&queries);
            held.spawn(async move {
                let slow = async {
                    tokio::time::sleep(QueryQueues::LONGEST).await;
                    Ok(())
                };
                queries.run(&anonymous(1), slow).await
            });
        }
        until_begun(&queries.anonymous, QueryQueues::MAX.per_peer).await;
        let began = Instant::now();
        assert_eq!(queries.run(&anonymous(2), ready(Ok(7))).await, Ok(7));
        assert_eq!(began.elapsed(), QueryQueues::LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn viewers_never_hold_up_people_who_may_act() {
        let queries = Arc::new(QueryQueues::default());
        let viewer = |n: u8| Actor { name: n.to_string(), is_known: true, ..Actor::nobody() };
        let _held: Vec<_> =
            (0..8).map(|n| endless(&queries, &viewer(n), QueryQueues::MAX.per_peer)).collect();
        until_begun(&queries.known, QueryQueues::MAX.total).await;
        let began = Instant::now();
        assert_eq!(queries.run(&Actor::local(), ready(Ok(7))).await, Ok(7));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn anonymous_queries_never_hold_up_people_who_are_known() {
        let queries = Arc::new(QueryQueues::default());
        let _held: Vec<_> =
            (0..8).map(|n| endless(&queries, &anonymous(n), QueryQueues::MAX.per_peer)).collect();
        until_begun(&queries.anonymous, QueryQueues::MAX.total).await;
        let anna = Actor { is_known: true, ..anonymous(1) };
        assert_eq!(queries.run(&anna, ready(Ok(7))).await, Ok(7));
        assert!(busy(queries.run(&anonymous(9), ready(Ok(7))).await));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_query_that_never_gives_its_thread_back_holds_up_nobody() {
        let queries = Arc::new(QueryQueues::default());
        let (end, until) = channel();
        let blocking = async move { Ok(until.recv().unwrap_or(0)) };
        let made = tokio::spawn(async move { queries.run(&anonymous(1), blocking).await });
        tokio::spawn(async move { end.send(7) }).await.unwrap().unwrap();
        assert_eq!(made.await.unwrap(), Ok(7));
    }
}
