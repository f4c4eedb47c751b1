use strata_cache::{LoadError, Read};
use strata_demo::{Caller, Ctx, Item};
use strata_report::Outcome;
use tokio::time::Instant;

use super::trace::TraceLine;
use super::{PlayError, Seen, Stage};
use crate::strategies::may_see;

/// What a script reads on its stage. A read that fails is counted, not an error.
impl Stage {
    /// Reads an item on a node, numbered from 1.
    ///
    /// # Errors
    /// When the stage is stopped or all nodes were killed.
    pub async fn read(&self, node: usize, id: u64) -> Result<Seen, PlayError> {
        let _acting = self.acting.read().await;
        let seat = self.seat(node)?;
        let asked = self.asked(seat.number, id);
        let read = seat.strategy.read(id).await;
        self.go_on()?;
        Ok(self.saw(&asked, &read))
    }

    /// Reads many items at once on a node, numbered from 1. Each takes as long as all of them.
    ///
    /// # Errors
    /// When the stage is stopped or all nodes were killed.
    pub async fn read_many(&self, node: usize, ids: &[u64]) -> Result<Vec<Seen>, PlayError> {
        let _acting = self.acting.read().await;
        let seat = self.seat(node)?;
        let asked: Vec<Asked> = ids.iter().map(|id| self.asked(seat.number, *id)).collect();
        let reads = seat.strategy.read_many(ids).await;
        self.go_on()?;
        Ok(asked.iter().zip(&reads).map(|(asked, read)| self.saw(asked, read)).collect())
    }

    /// Reads an item for a caller on a node, numbered from 1, and notes who is shown what is not
    /// theirs. Odd items are private to the user of the same number.
    ///
    /// # Errors
    /// When the stage is stopped or all nodes were killed.
    pub async fn read_as(&self, node: usize, id: u64, caller: Caller) -> Result<Seen, PlayError> {
        let _acting = self.acting.read().await;
        let seat = self.seat(node)?;
        let is_there = id <= self.settings.items;
        let asked = Asked { caller: is_there.then_some(caller), ..self.asked(seat.number, id) };
        let read = seat.strategy.read_as(&Ctx::of(caller), id).await;
        self.go_on()?;
        Ok(self.saw(&asked, &read))
    }

    fn asked(&self, node: usize, id: u64) -> Asked {
        let (newest, started) = (self.newest(id), Instant::now());
        Asked { node, id, caller: None, newest, started }
    }

    fn saw(&self, asked: &Asked, read: &Result<Read<Item>, LoadError>) -> Seen {
        let seen = Seen::of(read);
        self.tally.read(seen.outcome, asked.started.elapsed());
        let mark = asked.mark(seen);
        match mark {
            Some(Mark::Stale) => self.tally.stale_read(),
            Some(Mark::Leaked) => self.tally.leaked(),
            Some(Mark::Withheld) | None => {}
        }
        let told = format!("{}: {}{}", asked.told(), seen.told(), mark.map_or("", Mark::told));
        self.trace.push(TraceLine::of(seen.level(), Some(asked.node), told, asked.started));
        seen
    }
}

/// A read that has begun.
struct Asked {
    node: usize,
    id: u64,
    caller: Option<Caller>,
    /// The version that it must answer at least.
    newest: u64,
    started: Instant,
}

/// What is wrong with an answer.
#[derive(Clone, Copy)]
enum Mark {
    Stale,
    /// Its caller may not see it.
    Leaked,
    /// Its caller may see what is said not to be there.
    Withheld,
}

impl Asked {
    fn mark(&self, seen: Seen) -> Option<Mark> {
        let may_see = self.caller.map(|caller| may_see(caller, self.id));
        match (may_see, seen.version) {
            (Some(false), Some(_)) => Some(Mark::Leaked),
            (Some(true), None) if seen.outcome != Outcome::Failed => Some(Mark::Withheld),
            (Some(false), None) => None,
            _ if seen.is_older_than(self.newest) => Some(Mark::Stale),
            _ => None,
        }
    }

    fn told(&self) -> String {
        match self.caller {
            Some(caller) => format!("read {} as {caller}", self.id),
            None => format!("read {}", self.id),
        }
    }
}

impl Mark {
    const fn told(self) -> &'static str {
        match self {
            Self::Stale => ", stale",
            Self::Leaked => ", leaked",
            Self::Withheld => ", withheld",
        }
    }
}
