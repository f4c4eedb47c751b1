//! The keys of a namespace beside its entries, the numbers of its bus, and Redis's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, cmd};

use super::lua::{ANNOUNCE, scripts};
use crate::clock::{Moment, RedisClock};

/// How long an invalidation that succeeded shows that this node's invalidations can be written.
const PROOF: Duration = Duration::from_secs(1);

/// Where messages are sent, and by which node.
#[derive(Clone)]
pub(crate) struct Bus {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    namespace: String,
    stream: String,
    sequence: String,
    last: String,
    heartbeat: String,
    /// Random, so that a node recognises its own messages even if another node has its id.
    origin: String,
    /// It only looks on, and writes nothing that it is not told to.
    observes: bool,
    sent: AtomicU64,
    seen: AtomicU64,
    /// The moment before this node last wrote a proof that invalidations can be written, as a
    /// `Moment`.
    proved: AtomicU64,
    clock: RedisClock,
}

impl Inner {
    fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            stream: format!("{{{namespace}}}!bus"),
            sequence: format!("{{{namespace}}}!bus:sequence"),
            last: format!("{{{namespace}}}!bus:last"),
            heartbeat: format!("{{{namespace}}}!bus:beat"),
            origin: format!("{:016x}", rand::random::<u64>()),
            observes: false,
            sent: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            proved: AtomicU64::new(0),
            clock: RedisClock::new(),
        }
    }
}

/// Whether namespaces and caches may be named so.
pub(crate) fn is_name(name: &str) -> bool {
    matches!(name.len(), 1..=64)
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

impl Bus {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { inner: Arc::new(Inner::new(namespace)) }
    }

    /// Of a node that only looks on: it writes neither the heartbeat nor where the numbers begin, so
    /// that a namespace without nodes stays as it is.
    pub(crate) fn observing(namespace: &str) -> Self {
        Self { inner: Arc::new(Inner { observes: true, ..Inner::new(namespace) }) }
    }

    pub(crate) fn observes(&self) -> bool {
        self.inner.observes
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// The prefix of the keys of a cache's entries, up to the cache's name. All keys of a namespace
    /// share one hash tag, so that a script or an MGET may use several of them on Redis Cluster
    /// too.
    pub(crate) fn stem(&self, cache: &str) -> String {
        format!("{{{}}}:{cache}", self.inner.namespace)
    }

    /// A key beside the entries. No glob over entries matches it.
    pub(crate) fn beside(&self, name: &str) -> String {
        format!("{{{}}}!{name}", self.inner.namespace)
    }

    pub(crate) fn stream(&self) -> &str {
        &self.inner.stream
    }

    pub(crate) fn sequence(&self) -> &str {
        &self.inner.sequence
    }

    /// The number of each cache's last message.
    pub(crate) fn last(&self) -> &str {
        &self.inner.last
    }

    pub(crate) fn heartbeat(&self) -> &str {
        &self.inner.heartbeat
    }

    pub(crate) fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// Redis's clock, which all nodes use for shared times.
    pub(crate) fn clock(&self) -> &RedisClock {
        &self.inner.clock
    }

    /// Records that Redis accepted a write by this node that began after `asked` and made the calls
    /// of an invalidation.
    pub(crate) fn proved(&self, asked: Moment) {
        self.inner.proved.fetch_max(asked.as_nanos(), Ordering::Relaxed);
    }

    /// Whether such a write succeeded within the last second.
    pub(crate) fn is_proved(&self) -> bool {
        let asked = self.inner.proved.load(Ordering::Relaxed);
        asked > 0 && Moment::now().before(PROOF).as_nanos() <= asked
    }

    pub(crate) fn sent(&self) -> u64 {
        self.inner.sent.load(Ordering::Relaxed)
    }

    /// Records a number of the bus.
    pub(crate) fn saw(&self, sequence: u64) {
        self.inner.seen.fetch_max(sequence, Ordering::Relaxed);
    }

    /// The highest number of the bus that this node has seen.
    pub(crate) fn seen(&self) -> u64 {
        self.inner.seen.load(Ordering::Relaxed)
    }

    pub(crate) fn sends(&self, n_messages: u64) {
        self.inner.sent.fetch_add(n_messages, Ordering::Relaxed);
    }
}

scripts! {
    script;

    /// Notices when another run of Redis answers. Its data may come from a snapshot, or from a
    /// replica that had not received everything, and so be older than acknowledged changes. Entries
    /// stamped before the returned number therefore no longer count. The number is above all their
    /// stamps, and above every number that the asking node has seen, since a sequence below that
    /// also shows an older state. If Redis does not report its run, only the sequence is compared.
    /// KEYS: sequence, run. ARGV: the highest number seen, the run's id or nothing.
    BEGIN, "bus begin" =
        "local last, run = tonumber(redis.call('GET', KEYS[1]) or 0), ARGV[2]
         local is_other = run ~= '' and redis.call('HGET', KEYS[2], 'run') ~= run
         if is_other or last < tonumber(ARGV[1]) or redis.call('HEXISTS', KEYS[2], 'floor') == 0 then
           last = math.max(last, tonumber(ARGV[1]))
           redis.call('DEL', KEYS[1])
           begin(KEYS[1])
           if tonumber(redis.call('GET', KEYS[1])) <= last then
             redis.call('SET', KEYS[1], string.format('%.0f', last + 1))
           end
           redis.call('HSET', KEYS[2], 'floor', redis.call('GET', KEYS[1]))
           if run ~= '' then redis.call('HSET', KEYS[2], 'run', run) end
         end
         begin(KEYS[1])
         return redis.call('HGET', KEYS[2], 'floor')";
}

impl Bus {
    /// Gives the sequence a number to begin at. Entries stamped before the returned number do not
    /// count. `run_id` is the server's, empty if it does not report one.
    pub(crate) async fn begin(
        &self,
        connection: &mut MultiplexedConnection,
        run_id: &str,
    ) -> RedisResult<u64> {
        let run = self.beside("bus:run");
        if self.observes() {
            let mut floor = cmd("HGET");
            floor.arg(&run).arg("floor");
            let floor: Option<u64> = floor.query_async(connection).await?;
            return Ok(floor.unwrap_or(0));
        }
        let mut begin = BEGIN.prepare_invoke();
        begin.key(self.sequence()).key(run).arg(self.seen()).arg(run_id);
        let floor = begin.invoke_async(connection).await?;
        self.saw(floor);
        Ok(floor)
    }
}

fn script(body: &str) -> Script {
    Script::new(&format!("{ANNOUNCE}{body}"))
}
