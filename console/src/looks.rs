use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::peer_limit::{Bounds, PeerLimit, PeerPermit};
use crate::turns::{Turn, TurnBounds, Turns};
use crate::{Actor, ConsoleError};

/// The looks that cost much: searches, plans, comparisons, lists of dead letters. They take turns,
/// strangers apart from people who are known, so that neither reads of the service nor people wait
/// for strangers. Peers take turns as well, and who may act goes first.
#[derive(Debug)]
pub(crate) struct Looks {
    strangers: Queue,
    people: Queue,
    /// Looks at one key, which cost little but a question to the source.
    keys_of_strangers: Queue,
    keys: Queue,
}

#[derive(Debug)]
struct Queue {
    /// Those that wait or run.
    begun: Arc<PeerLimit>,
    /// The same of who may act: however many others wait, they may begin.
    begun_by_actors: Arc<PeerLimit>,
    /// Those that run.
    turns: Arc<Turns>,
}

/// When a look ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// A look's turn, until it is dropped.
pub(crate) struct Begun {
    _begun: PeerPermit,
    _turn: Turn,
}

impl Looks {
    /// Walks of one look end after so long, with what they have found.
    pub(crate) const LONGEST: Duration = Duration::from_secs(20);

    /// Looks that run or wait, in all and of each peer; more are refused at once.
    pub(crate) const MAX: Bounds = Bounds { in_all: 64, of_peer: 8 };

    /// So long a look waits for its turn: longer than most take that began just before it.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Looks of people that run at the same time.
    const PEOPLE_AT_ONCE: usize = 4;

    /// Looks at one key that are made at the same time, by strangers and by people: so many that
    /// nobody waits unless a source is slow.
    const KEYS_AT_ONCE: usize = 16;

    /// Makes a look in its turn, on a thread on which nobody else waits.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub(crate) async fn make<T: Send + 'static>(
        &self,
        actor: &Actor,
        look: impl Future<Output = Result<T, ConsoleError>> + Send + 'static,
    ) -> Result<T, ConsoleError> {
        let queue = if actor.is_stranger() { &self.strangers } else { &self.people };
        let _turn = queue.turn(actor).await?;
        aside(look).await
    }

    /// Waits for the turn of a look at one key, which lasts until what is returned is dropped.
    ///
    /// # Errors
    /// [`ConsoleError::Busy`].
    pub(crate) async fn at_key(&self, actor: &Actor) -> Result<Begun, ConsoleError> {
        let queue = if actor.is_stranger() { &self.keys_of_strangers } else { &self.keys };
        queue.turn(actor).await
    }

    fn on(processors: usize) -> Self {
        // Strangers leave half of the processors to reads.
        let strangers = (processors / 2).clamp(1, Self::PEOPLE_AT_ONCE);
        let (people, keys) = (Self::PEOPLE_AT_ONCE, Self::KEYS_AT_ONCE);
        let of_strangers = |n| Queue::new(TurnBounds { in_all: n, of_lookers: n });
        let of_people = |n| Queue::new(TurnBounds { in_all: n, of_lookers: n - 1 });
        Self {
            strangers: of_strangers(strangers),
            people: of_people(people),
            keys_of_strangers: of_strangers(keys),
            keys: of_people(keys),
        }
    }

    /// When a look that begins now ends at the latest.
    pub(crate) fn deadline() -> Deadline {
        Deadline(Instant::now() + Self::LONGEST)
    }
}

impl Deadline {
    /// Whether the look has to end with what it has.
    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    /// A walk that tells nothing before its end, such as one over L1.
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

impl Default for Looks {
    fn default() -> Self {
        Self::on(available_parallelism().map_or(1, usize::from))
    }
}

impl Queue {
    fn new(turns: TurnBounds) -> Self {
        let limit = || PeerLimit::new("looks, searches and plans", Looks::MAX);
        Self { begun: limit(), begun_by_actors: limit(), turns: Turns::new(turns) }
    }

    async fn turn(&self, actor: &Actor) -> Result<Begun, ConsoleError> {
        let limit = if actor.rights.act { &self.begun_by_actors } else { &self.begun };
        let begun = limit.begin(actor.peer())?;
        match timeout(Looks::PATIENCE, self.turns.next(actor)).await {
            Ok(Some(turn)) => Ok(Begun { _begun: begun, _turn: turn }),
            Ok(None) | Err(_) => Err(limit.busy("came before yours")),
        }
    }
}

/// Does the work on a thread of its own where the runtime has several: what takes long between two
/// awaits then holds up no other task. Dropped, it ends at its next await.
async fn aside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
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

    fn stranger(last: u8) -> Actor {
        Actor { address: Some([192, 0, 2, last].into()), ..Actor::nobody() }
    }

    fn busy<T>(look: Result<T, ConsoleError>) -> bool {
        matches!(look, Err(ConsoleError::Busy { .. }))
    }

    /// Looks that never end, and are all waiting or running when this returns.
    fn endless(looks: &Arc<Looks>, actor: &Actor, n: usize) -> tokio::task::JoinSet<()> {
        let mut held = tokio::task::JoinSet::new();
        for _ in 0..n {
            let (looks, actor) = (Arc::clone(looks), actor.clone());
            held.spawn(async move {
                let _: Result<(), _> = looks.make(&actor, pending()).await;
            });
        }
        held
    }

    async fn until_begun(queue: &Queue, n: usize) {
        while queue.begun.n_begun() < n {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_share_a_peer_is_refused_at_once() {
        let looks = Arc::new(Looks::on(2));
        let _held = endless(&looks, &stranger(1), Looks::MAX.of_peer);
        until_begun(&looks.strangers, Looks::MAX.of_peer).await;
        let began = Instant::now();
        assert!(busy(looks.make(&stranger(1), ready(Ok(()))).await));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(busy(looks.make(&stranger(2), ready(Ok(()))).await), "the first never ends");
        assert_eq!(began.elapsed(), Looks::PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn on_two_processors_too_a_stranger_waits_for_one_look_of_another_and_no_more() {
        let looks = Arc::new(Looks::on(2));
        let mut held = tokio::task::JoinSet::new();
        for _ in 0..Looks::MAX.of_peer {
            let looks = Arc::clone(&looks);
            held.spawn(async move {
                let slow = async {
                    tokio::time::sleep(Looks::LONGEST).await;
                    Ok(())
                };
                looks.make(&stranger(1), slow).await
            });
        }
        until_begun(&looks.strangers, Looks::MAX.of_peer).await;
        let began = Instant::now();
        assert_eq!(looks.make(&stranger(2), ready(Ok(7))).await, Ok(7));
        assert_eq!(began.elapsed(), Looks::LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn viewers_never_hold_up_who_may_act() {
        let looks = Arc::new(Looks::default());
        let viewer = |n: u8| Actor { name: n.to_string(), is_known: true, ..Actor::nobody() };
        let _held: Vec<_> =
            (0..8).map(|n| endless(&looks, &viewer(n), Looks::MAX.of_peer)).collect();
        until_begun(&looks.people, Looks::MAX.in_all).await;
        let began = Instant::now();
        assert_eq!(looks.make(&Actor::local(), ready(Ok(7))).await, Ok(7));
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_never_hold_up_people_who_are_known() {
        let looks = Arc::new(Looks::default());
        let _held: Vec<_> =
            (0..8).map(|n| endless(&looks, &stranger(n), Looks::MAX.of_peer)).collect();
        until_begun(&looks.strangers, Looks::MAX.in_all).await;
        let anna = Actor { is_known: true, ..stranger(1) };
        assert_eq!(looks.make(&anna, ready(Ok(7))).await, Ok(7));
        assert!(busy(looks.make(&stranger(9), ready(Ok(7))).await));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_look_that_never_gives_its_thread_back_holds_up_nobody() {
        let looks = Arc::new(Looks::default());
        let (end, until) = channel();
        let blocking = async move { Ok(until.recv().unwrap_or(0)) };
        let made = tokio::spawn(async move { looks.make(&stranger(1), blocking).await });
        tokio::spawn(async move { end.send(7) }).await.unwrap().unwrap();
        assert_eq!(made.await.unwrap(), Ok(7));
    }
}
