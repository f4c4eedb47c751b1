use std::collections::HashMap;
use std::time::Duration;

use strata_cache::{LoadError, Read};
use strata_demo::{Caller, Ctx, Item};
use strata_report::Outcome;
use tokio::time::Instant;

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use crate::strategies::may_see;
use crate::trace::{Level, TraceLine};

/// What a reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadResult {
    /// How the read ended.
    pub outcome: Outcome,
    /// The item's version; `None` where there is no item, or the read failed.
    pub version: Option<u64>,
    /// The time to live that the entry was given; `None` where nothing is cached.
    pub time_to_live: Option<Duration>,
}

/// What a script reads on its sandbox. A read that fails is counted, not an error.
impl Sandbox {
    /// Reads an item on a node, numbered from 1.
    ///
    /// # Errors
    /// When the sandbox is stopped or all nodes were killed.
    pub async fn read(&self, node: usize, id: u64) -> Result<ReadResult, SandboxError> {
        let _acting = self.operations.read().await;
        let node = self.live_node(node)?;
        let pending = self.begin_read(node.number, id);
        let read = node.strategy.read(id).await;
        self.go_on()?;
        Ok(self.finish_read(&pending, &read))
    }

    /// Reads many items at once on a node, numbered from 1. Each takes as long as all of them.
    ///
    /// # Errors
    /// When the sandbox is stopped or all nodes were killed.
    pub async fn read_many(
        &self,
        node: usize,
        ids: &[u64],
    ) -> Result<Vec<ReadResult>, SandboxError> {
        let _acting = self.operations.read().await;
        let node = self.live_node(node)?;
        let pending: Vec<PendingRead> =
            ids.iter().map(|id| self.begin_read(node.number, *id)).collect();
        let reads = node.strategy.read_many(ids).await;
        self.go_on()?;
        Ok(pending
            .iter()
            .zip(&reads)
            .map(|(pending, read)| self.finish_read(pending, read))
            .collect())
    }

    /// Reads an item for a caller on a node, numbered from 1, and notes who is shown what is not
    /// theirs. Odd items are private to the user of the same number.
    ///
    /// # Errors
    /// When the sandbox is stopped or all nodes were killed.
    pub async fn read_as(
        &self,
        node: usize,
        id: u64,
        caller: Caller,
    ) -> Result<ReadResult, SandboxError> {
        let _acting = self.operations.read().await;
        let node = self.live_node(node)?;
        let is_there = id <= self.settings.items;
        let pending =
            PendingRead { caller: is_there.then_some(caller), ..self.begin_read(node.number, id) };
        let read = node.strategy.read_as(&Ctx::of(caller), id).await;
        self.go_on()?;
        Ok(self.finish_read(&pending, &read))
    }

    /// Reads every item on a node, and counts how many of them would expire within the same second,
    /// had all been loaded at once. That depends on the times to live that the entries were given,
    /// and not on how fast the machine is.
    ///
    /// # Errors
    /// When the sandbox is stopped or the node was killed.
    pub async fn expiry_peak(&self, node: usize) -> Result<(), SandboxError> {
        let started = Instant::now();
        let mut expiring: HashMap<u64, u64> = HashMap::new();
        for id in 1..=self.settings.items {
            if let Some(time_to_live) = self.read(node, id).await?.time_to_live {
                *expiring.entry(time_to_live.as_secs()).or_default() += 1;
            }
        }
        let expiry_peak = expiring.into_values().max().unwrap_or(0);
        self.counters.expiry_peak(expiry_peak);
        let text =
            format!("{expiry_peak} of {} entries expire within one second", self.settings.items);
        self.trace.push(TraceLine::of(Level::L1, Some(node), text, started));
        Ok(())
    }

    fn begin_read(&self, node: usize, id: u64) -> PendingRead {
        let (newest, started) = (self.newest(id), Instant::now());
        PendingRead { node, id, caller: None, newest, started }
    }

    fn finish_read(
        &self,
        pending: &PendingRead,
        read: &Result<Read<Item>, LoadError>,
    ) -> ReadResult {
        let result = ReadResult::of(read);
        self.counters.read(result.outcome, pending.started.elapsed());
        let flaw = pending.flaw(result);
        match flaw {
            Some(ReadFlaw::Stale) => self.counters.stale_read(),
            Some(ReadFlaw::Leaked) => self.counters.leaked(),
            Some(ReadFlaw::Withheld) | None => {}
        }
        let text =
            format!("{}: {}{}", pending.text(), result.text(), flaw.map_or("", ReadFlaw::text));
        self.trace.push(TraceLine::of(result.level(), Some(pending.node), text, pending.started));
        result
    }
}

impl ReadResult {
    pub(crate) fn of(read: &Result<Read<Item>, LoadError>) -> Self {
        match read {
            Ok(read) => {
                let version = read.value.as_ref().map(|item| item.version);
                let time_to_live = read.expires_in.map(|left| read.age + left);
                Self { outcome: read.outcome, version, time_to_live }
            }
            Err(_) => Self { outcome: Outcome::Failed, version: None, time_to_live: None },
        }
    }

    /// Whether it is an answer, and an older one than this; "no item" is older than any.
    pub(crate) fn is_older_than(self, version: u64) -> bool {
        self.level() != Level::Nowhere && self.version.unwrap_or(0) < version
    }

    pub(crate) fn level(self) -> Level {
        match self.outcome {
            Outcome::L1Hit | Outcome::Stale => Level::L1,
            Outcome::L2Hit => Level::L2,
            Outcome::Loaded | Outcome::Coalesced | Outcome::Bypassed => Level::Source,
            Outcome::Missed | Outcome::Failed => Level::Nowhere,
        }
    }

    pub(crate) fn text(self) -> String {
        let outcome = match self.outcome {
            Outcome::L1Hit => "L1 hit",
            Outcome::L2Hit => "L2 hit",
            other => other.as_str(),
        };
        match self.version {
            Some(version) => format!("{outcome}, version {version}"),
            None => format!("{outcome}, no item"),
        }
    }
}

/// A read that has begun.
struct PendingRead {
    node: usize,
    id: u64,
    caller: Option<Caller>,
    /// The version that it must answer at least.
    newest: u64,
    started: Instant,
}

/// What is wrong with an answer.
#[derive(Clone, Copy)]
enum ReadFlaw {
    Stale,
    /// Its caller may not see it.
    Leaked,
    /// Its caller may see what is said not to be there.
    Withheld,
}

impl PendingRead {
    fn flaw(&self, result: ReadResult) -> Option<ReadFlaw> {
        let may_see = self.caller.map(|caller| may_see(caller, self.id));
        match (may_see, result.version) {
            (Some(false), Some(_)) => Some(ReadFlaw::Leaked),
            (Some(true), None) if result.outcome != Outcome::Failed => Some(ReadFlaw::Withheld),
            (Some(false), None) => None,
            _ if result.is_older_than(self.newest) => Some(ReadFlaw::Stale),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self.caller {
            Some(caller) => format!("read {} as {caller}", self.id),
            None => format!("read {}", self.id),
        }
    }
}

impl ReadFlaw {
    const fn text(self) -> &'static str {
        match self {
            Self::Stale => ", stale",
            Self::Leaked => ", leaked",
            Self::Withheld => ", withheld",
        }
    }
}
