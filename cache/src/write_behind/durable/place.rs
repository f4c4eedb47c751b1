use std::time::Duration;

use redis::{ScriptInvocation, cmd, pipe};

use super::scripts;
use crate::bus::{Bus, What};
use crate::clock::millis;
use crate::l2::{Away, Keyspace, Link, Reply, Step};

const GROUP: &str = "writers";

/// Makes a row claimable at once, whatever the others' patience.
const LONG_IDLE: Duration = Duration::from_secs(24 * 3600);

/// One cache's unwritten values in Redis, beside its entries.
pub(super) struct Place {
    pub(super) bus: Bus,
    pub(super) cache: String,
    consumer: String,
    pub(super) stream: String,
    pub(super) values: String,
    pub(super) aside: String,
    sequence: String,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enqueued {
    Taken {
        version: u64,
        coalesced: bool,
    },
    Full,
    /// A newer version waits.
    Overtaken {
        newer: u64,
    },
}

/// What names a row that was taken: its id in the stream and the text of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(super) id: String,
    pub(super) key: String,
}

/// Id, key and stored value of a row.
pub(super) type RawRow = (String, String, String);

/// What a take found: waiting rows of all nodes, the age of the oldest in milliseconds or -1, rows
/// that stand aside, and those that are now ours.
pub(super) type RawTake = (u64, i64, u64, Vec<RawRow>);

/// Id and fields of a row that stands aside.
pub(super) type RawAside = (String, Vec<(String, String)>);

impl Place {
    pub(super) fn new(bus: &Bus, cache: &str, node: &str) -> Self {
        let stream = bus.beside(&format!("writes:{cache}"));
        Self {
            bus: bus.clone(),
            cache: cache.to_owned(),
            consumer: format!("{node}:{:016x}", rand::random::<u64>()),
            values: format!("{stream}:values"),
            aside: format!("{stream}:aside"),
            sequence: format!("{stream}:sequence"),
            stream,
        }
    }

    pub(super) async fn enqueue(
        &self,
        l2: &Keyspace,
        (key, tail): (&str, &str),
        version: Option<u64>,
        capacity: usize,
    ) -> Result<Enqueued, Away> {
        let mut enqueue = scripts::ENQUEUE.prepare_invoke();
        enqueue.key(&self.stream).key(&self.values).key(&self.aside).key(&self.sequence);
        enqueue.key(l2.entry(key)).arg(key).arg(tail);
        enqueue.arg(version.map_or_else(String::new, |version| version.to_string()));
        enqueue.arg(capacity);
        self.bus.message(&mut enqueue, &self.cache, What::Key(key));
        let answer: Vec<String> = invoke(&l2.link, enqueue).await?;
        let version = answer.get(1).and_then(|version| version.parse().ok()).unwrap_or(0);
        Ok(match answer.first().map(String::as_str) {
            Some("1") => Enqueued::Taken { version, coalesced: false },
            Some("2") => Enqueued::Taken { version, coalesced: true },
            Some("-1") => Enqueued::Overtaken { newer: version },
            _ => Enqueued::Full,
        })
    }

    /// The unwritten value of a key, as stored.
    pub(super) async fn value(&self, link: &Link, key: &str) -> Result<Option<String>, Away> {
        let mut get = cmd("HGET");
        get.arg(&self.values).arg(key);
        Ok(link.ask(Step::WriteBehind, &get).await?)
    }

    pub(super) async fn take(&self, link: &Link, max: usize) -> Result<RawTake, Away> {
        let mut take = scripts::TAKE.prepare_invoke();
        take.key(&self.stream).key(&self.values).key(&self.aside);
        take.arg(GROUP).arg(&self.consumer).arg(max);
        invoke(link, take).await
    }

    /// How many rows wait, and how many stand aside.
    pub(super) async fn count(&self, link: &Link) -> Result<(u64, u64), Away> {
        let mut count = pipe();
        count.cmd("XLEN").arg(&self.stream).cmd("XLEN").arg(&self.aside);
        Ok(link.ask(Step::WriteBehind, &count).await?)
    }

    /// Claims one row from a consumer that has been idle for so long: where to go on, how often it
    /// has been delivered by now, and the row.
    pub(super) async fn claim(
        &self,
        link: &Link,
        idle: Duration,
        cursor: &str,
    ) -> Result<(String, u32, Vec<RawRow>), Away> {
        let mut claim = scripts::CLAIM.prepare_invoke();
        claim.key(&self.stream).key(&self.values);
        claim.arg(GROUP).arg(&self.consumer).arg(millis(idle)).arg(cursor);
        invoke(link, claim).await
    }

    pub(super) async fn again(
        &self,
        link: &Link,
        receipts: &[Receipt],
    ) -> Result<Vec<RawRow>, Away> {
        let mut again = scripts::AGAIN.prepare_invoke();
        again.key(&self.stream).key(&self.values).arg(GROUP).arg(&self.consumer);
        for receipt in receipts {
            again.arg(&receipt.id).arg(&receipt.key);
        }
        invoke(link, again).await
    }

    /// Says that we still work on these.
    pub(super) async fn keep(&self, link: &Link, receipts: &[Receipt]) -> Result<(), Away> {
        self.idle(link, receipts, Duration::ZERO).await
    }

    /// Lets others claim these at once.
    pub(super) async fn hand_over(&self, link: &Link, receipts: &[Receipt]) -> Result<(), Away> {
        self.idle(link, receipts, LONG_IDLE).await
    }

    async fn idle(&self, link: &Link, receipts: &[Receipt], idle: Duration) -> Result<(), Away> {
        let mut keep = scripts::KEEP.prepare_invoke();
        keep.key(&self.stream).arg(GROUP).arg(&self.consumer).arg(millis(idle));
        for receipt in receipts {
            keep.arg(&receipt.id);
        }
        invoke(link, keep).await
    }

    /// Ends rows that the source has, each with the version that was sent.
    pub(super) async fn done(&self, l2: &Keyspace, rows: &[(&Receipt, u64)]) -> Result<(), Away> {
        let mut done = scripts::DONE.prepare_invoke();
        done.key(&self.stream).key(&self.values).arg(GROUP);
        for (receipt, version) in rows {
            done.key(l2.entry(&receipt.key)).arg(&receipt.id).arg(&receipt.key).arg(*version);
            self.bus.message(&mut done, &self.cache, What::Key(&receipt.key));
        }
        invoke(&l2.link, done).await
    }

    pub(super) async fn set_aside(
        &self,
        l2: &Keyspace,
        (receipt, version): (&Receipt, u64),
        (tries, error): (u32, &str),
    ) -> Result<bool, Away> {
        let mut aside = scripts::SET_ASIDE.prepare_invoke();
        aside.key(&self.stream).key(&self.values).key(&self.aside).key(l2.entry(&receipt.key));
        aside.arg(GROUP).arg(&receipt.id).arg(&receipt.key).arg(version).arg(tries).arg(error);
        self.bus.message(&mut aside, &self.cache, What::Key(&receipt.key));
        invoke(&l2.link, aside).await
    }

    /// The rows that stand aside, oldest first, and Redis's time in milliseconds.
    pub(super) async fn list_aside(
        &self,
        link: &Link,
        (from, to): (&str, &str),
        limit: usize,
    ) -> Result<(Vec<RawAside>, u64), Away> {
        let mut list = pipe();
        list.cmd("XRANGE").arg(&self.aside).arg(from).arg(to).arg("COUNT").arg(limit);
        list.cmd("TIME");
        type Answer = (Vec<RawAside>, (u64, u64));
        let (rows, (seconds, micros)): Answer = link.ask(Step::WriteBehind, &list).await?;
        Ok((rows, seconds * 1_000 + micros / 1_000))
    }

    /// Queues a row again that stands aside; says whether it did.
    pub(super) async fn redrive(
        &self,
        l2: &Keyspace,
        (id, key): (&str, &str),
    ) -> Result<bool, Away> {
        let mut redrive = scripts::REDRIVE.prepare_invoke();
        redrive.key(&self.stream).key(&self.values).key(&self.aside).key(l2.entry(key)).arg(id);
        self.bus.message(&mut redrive, &self.cache, What::Key(key));
        invoke(&l2.link, redrive).await
    }

    pub(super) async fn drop_aside(&self, link: &Link, id: &str) -> Result<bool, Away> {
        let mut delete = cmd("XDEL");
        delete.arg(&self.aside).arg(id);
        Ok(link.ask(Step::WriteBehind, &delete).await?)
    }
}

async fn invoke<T: Reply>(link: &Link, invocation: ScriptInvocation<'_>) -> Result<T, Away> {
    Ok(link.ask(Step::WriteBehind, &invocation).await?)
}
