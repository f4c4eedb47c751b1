use std::time::Duration;

use redis::{Script, ScriptInvocation, cmd, pipe};

use super::scripts;
use crate::clock::millis;
use crate::connection::{Away, Bus, Link, Reply, Step};
use crate::l2::Keyspace;
use crate::target::Target;

const GROUP: &str = "writers";

/// Rows in one step that only reports on them.
pub(crate) const AT_ONCE: usize = 500;

/// One cache's unwritten values in Redis, beside its entries.
pub(super) struct UnwrittenQueue {
    pub(super) bus: Bus,
    pub(super) cache: String,
    consumer: String,
    schemas: Schemas,
    pub(super) stream: String,
    pub(super) values: String,
    pub(super) aside: String,
    /// The hash with the dead letter of each key.
    pub(super) ids: String,
    sequence: String,
}

/// The result of a write.
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

/// Identifies a row that was taken: its id in the stream and the text of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(super) id: String,
    pub(super) key: String,
}

/// Id, key and stored value of a row.
pub(super) type RawRow = (String, String, String);

/// The schemas that this node reads: its own and, if it migrates, older ones down to this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schemas {
    pub(super) own: u16,
    pub(super) oldest: u16,
}

/// The result of taking rows.
pub(super) struct RawTake {
    /// The number of waiting rows of all nodes.
    pub(super) waiting: u64,
    /// The age of the oldest, milliseconds, or -1.
    pub(super) oldest_age_ms: i64,
    pub(super) aside: u64,
    /// The number of rows that only nodes of other schemas can read.
    pub(super) other_schema: u64,
    /// Whether there may be more rows than were examined.
    pub(super) has_more: bool,
    /// The rows that this node has now.
    pub(super) rows: Vec<RawRow>,
}

/// The result of claiming rows.
pub(super) struct RawClaim {
    /// The cursor of the next claim.
    pub(super) cursor: String,
    /// How often each row has been delivered by now, at most.
    pub(super) deliveries: u32,
    pub(super) rows: Vec<RawRow>,
}

impl UnwrittenQueue {
    pub(super) fn new(bus: &Bus, (cache, node): (&str, &str), schemas: Schemas) -> Self {
        let stream = bus.beside(&format!("writes:{cache}"));
        Self {
            bus: bus.clone(),
            cache: cache.to_owned(),
            consumer: format!("{node}:{:016x}", rand::random::<u64>()),
            schemas,
            values: format!("{stream}:values"),
            aside: format!("{stream}:aside"),
            ids: format!("{stream}:aside:ids"),
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
        self.bus.message(&mut enqueue, &self.cache, &Target::key(key));
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
        self.who(&mut take).arg(max);
        let (waiting, oldest_age_ms, aside, other_schema, has_more, rows) =
            invoke(link, take).await?;
        Ok(RawTake { waiting, oldest_age_ms, aside, other_schema, has_more, rows })
    }

    /// The number of waiting rows, and of dead letters.
    pub(super) async fn count(&self, link: &Link) -> Result<(u64, u64), Away> {
        let mut count = pipe();
        count.cmd("XLEN").arg(&self.stream).cmd("XLEN").arg(&self.aside);
        Ok(link.ask(Step::WriteBehind, &count).await?)
    }

    /// Claims up to `max` rows from consumers that have been idle for this long.
    pub(super) async fn claim(
        &self,
        link: &Link,
        (idle, max): (Duration, usize),
        cursor: &str,
    ) -> Result<RawClaim, Away> {
        let mut claim = scripts::CLAIM.prepare_invoke();
        claim.key(&self.stream).key(&self.values);
        self.who(&mut claim).arg(millis(idle)).arg(cursor).arg(max);
        let (cursor, deliveries, rows) = invoke(link, claim).await?;
        Ok(RawClaim { cursor, deliveries, rows })
    }

    pub(super) async fn again(
        &self,
        link: &Link,
        receipts: &[Receipt],
    ) -> Result<Vec<RawRow>, Away> {
        let mut again = scripts::AGAIN.prepare_invoke();
        self.who(again.key(&self.stream).key(&self.values));
        for receipt in receipts {
            again.arg(&receipt.id).arg(&receipt.key);
        }
        invoke(link, again).await
    }

    /// Reports that this node still works on these rows.
    pub(super) async fn keep(&self, link: &Link, receipts: &[Receipt]) -> Result<(), Away> {
        self.say(link, &scripts::KEEP, receipts).await
    }

    /// Reports that this node did not fall silent on these rows.
    pub(super) async fn outlive(&self, link: &Link, receipts: &[Receipt]) -> Result<(), Away> {
        self.say(link, &scripts::OUTLIVE, receipts).await
    }

    /// Lets other consumers claim these rows at once.
    pub(super) async fn hand_over(&self, link: &Link, receipts: &[Receipt]) -> Result<(), Away> {
        self.say(link, &scripts::HAND_OVER, receipts).await
    }

    async fn say(&self, link: &Link, what: &Script, receipts: &[Receipt]) -> Result<(), Away> {
        for receipts in receipts.chunks(AT_ONCE) {
            let mut say = what.prepare_invoke();
            say.key(&self.stream).arg(GROUP).arg(&self.consumer);
            for receipt in receipts {
                say.arg(&receipt.id);
            }
            let () = invoke(link, say).await?;
        }
        Ok(())
    }

    /// Adds the group, the consumer, and the schemas that it reads.
    fn who<'a, 's>(&self, script: &'a mut ScriptInvocation<'s>) -> &'a mut ScriptInvocation<'s> {
        script.arg(GROUP).arg(&self.consumer).arg(self.schemas.own).arg(self.schemas.oldest)
    }

    /// Adds the keys of the dead letters.
    pub(super) fn letters<'a, 's>(
        &self,
        script: &'a mut ScriptInvocation<'s>,
    ) -> &'a mut ScriptInvocation<'s> {
        script.key(&self.aside).key(&self.ids)
    }

    /// Ends rows that the source has, each with the version that was sent.
    pub(super) async fn done(&self, l2: &Keyspace, rows: &[(&Receipt, u64)]) -> Result<(), Away> {
        let mut done = scripts::DONE.prepare_invoke();
        self.letters(done.key(&self.stream).key(&self.values)).arg(GROUP);
        for (receipt, version) in rows {
            done.key(l2.entry(&receipt.key)).arg(&receipt.id).arg(&receipt.key).arg(*version);
            self.bus.message(&mut done, &self.cache, &Target::key(receipt.key.as_str()));
        }
        invoke(&l2.link, done).await
    }

    pub(super) async fn set_aside(
        &self,
        l2: &Keyspace,
        (receipt, version): (&Receipt, &str),
        (tries, error): (u32, &str),
    ) -> Result<bool, Away> {
        let mut aside = scripts::SET_ASIDE.prepare_invoke();
        self.letters(aside.key(&self.stream).key(&self.values)).key(l2.entry(&receipt.key));
        aside.arg(GROUP).arg(&receipt.id).arg(&receipt.key).arg(version).arg(tries).arg(error);
        self.bus.message(&mut aside, &self.cache, &Target::key(receipt.key.as_str()));
        invoke(&l2.link, aside).await
    }
}

async fn invoke<T: Reply>(link: &Link, invocation: ScriptInvocation<'_>) -> Result<T, Away> {
    Ok(link.ask(Step::WriteBehind, &invocation).await?)
}
