use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::requests::{Request, requests};
use super::trace::{Level, TraceLine};
use super::{PlayError, Seen, Stage};
use crate::Item;
use crate::strategies::StrategyKind;

const HEARING: Duration = Duration::from_secs(5);
const FLUSHING: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(10);

/// What a script does on its stage.
impl Stage {
    /// Reads an item on a node, numbered from 1. A read that fails is counted, not an error.
    ///
    /// # Errors
    /// When the stage is stopped or the node was killed.
    pub async fn read(&self, node: usize, id: u64) -> Result<Seen, PlayError> {
        let _acting = self.acting.read().await;
        let strategy = self.seat(node)?.strategy;
        let (newest, started) = (self.ledger.newest(id), Instant::now());
        let read = strategy.read(id).await;
        let took = started.elapsed();
        self.go_on()?;
        let seen = Seen::of(&read);
        self.tally.read(seen.outcome, took);
        let is_stale = seen.version.is_some_and(|version| version < newest);
        if is_stale {
            self.tally.stale_read();
        }
        let command = seen.told(id, is_stale);
        self.trace.push(TraceLine::of(seen.level(), Some(node), command, started));
        Ok(seen)
    }

    /// Changes an item on a node, numbered from 1; says whether the write was acknowledged.
    ///
    /// # Errors
    /// When the stage is stopped or the node was killed.
    pub async fn write(&self, node: usize, id: u64) -> Result<bool, PlayError> {
        let _acting = self.acting.read().await;
        let strategy = self.seat(node)?.strategy;
        let (version, started) = (self.ledger.next(id), Instant::now());
        let item = Item { id, version, body: "y".repeat(self.settings.item_bytes) };
        let written = strategy.write(item).await;
        self.go_on()?;
        let (level, answer) = match &written {
            Ok(()) => {
                self.ledger.acknowledge(id, version);
                self.tally.acknowledged();
                (self.acknowledges(), "acknowledged".to_owned())
            }
            Err(error) => {
                self.tally.refused();
                (Level::Nowhere, format!("failed to {error}"))
            }
        };
        let command = format!("write {id}, version {version}: {answer}");
        self.trace.push(TraceLine::of(level, Some(node), command, started));
        Ok(written.is_ok())
    }

    /// Makes the requests of the settings; as many at once as there are readers, on all nodes in
    /// turn. With one reader and one node the counts depend on the seed alone.
    ///
    /// # Errors
    /// When the stage is stopped or a node was killed.
    pub async fn requests(self: &Arc<Self>) -> Result<(), PlayError> {
        let (readers, nodes) = (self.settings.readers, self.settings.nodes);
        let all: Arc<[Request]> = requests(&self.settings).collect();
        let mut crew = JoinSet::new();
        for reader in 0..readers {
            let (stage, all) = (Arc::clone(self), Arc::clone(&all));
            crew.spawn(async move {
                for (turn, request) in all.iter().enumerate().skip(reader).step_by(readers) {
                    let node = turn % nodes + 1;
                    match *request {
                        Request::Read(id) => drop(stage.read(node, id).await?),
                        Request::Write(id) => drop(stage.write(node, id).await?),
                    }
                }
                Ok(())
            });
        }
        all_of(crew).await
    }

    /// `settings.readers` readers ask for one item at once, on all nodes in turn.
    ///
    /// # Errors
    /// When the stage is stopped or a node was killed.
    pub async fn crowd(self: &Arc<Self>, id: u64) -> Result<(), PlayError> {
        let mut crew = JoinSet::new();
        for reader in 0..self.settings.readers {
            let stage = Arc::clone(self);
            let node = reader % self.settings.nodes + 1;
            crew.spawn(async move { stage.read(node, id).await.map(drop) });
        }
        all_of(crew).await
    }

    /// Waits until every node has heard all invalidations so far.
    ///
    /// # Errors
    /// When the stage is stopped, or a node has not heard them within some seconds.
    pub async fn heard(&self) -> Result<(), PlayError> {
        for seat in self.living() {
            let hearing = async {
                match seat.node.bus_sequence().await {
                    Some(sequence) => seat.node.has_heard(sequence, HEARING).await,
                    None => self.place.redis_url.is_none(),
                }
            };
            let heard = self.stop.run_until_cancelled(hearing).await.ok_or(PlayError::Stopped)?;
            if !heard {
                return Err(PlayError::Deaf);
            }
        }
        Ok(())
    }

    /// Waits until the database has every acknowledged write, or no node has any more to write.
    ///
    /// # Errors
    /// When the stage is stopped, or the table cannot be read.
    pub async fn flushed(&self) -> Result<(), PlayError> {
        let deadline = Instant::now() + FLUSHING;
        while Instant::now() < deadline {
            self.go_on()?;
            let waits = self.living().iter().any(|seat| seat.strategy.has_unwritten());
            if self.ledger.lost(&self.source.items().versions().await?) == 0 || !waits {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Kills a node, numbered from 1: what only its process knows is gone.
    pub fn kill(&self, node: usize) {
        let killed = self.seats().get_mut(node - 1).and_then(Option::take);
        if let Some(seat) = killed {
            seat.node.shutdown();
        }
        let command = format!("node {node} is killed");
        self.trace.push(TraceLine::of(Level::Nowhere, Some(node), command, Instant::now()));
    }

    /// Starts a node again that was killed, with an empty L1.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn revive(&self, node: usize) -> Result<(), PlayError> {
        let seat = self.seat_node(node).await?;
        if let Some(place) = self.seats().get_mut(node - 1) {
            *place = Some(seat);
        }
        Ok(())
    }

    fn acknowledges(&self) -> Level {
        match self.kind {
            StrategyKind::WriteBehind => Level::L1,
            StrategyKind::DurableWriteBehind => Level::L2,
            _ => Level::Source,
        }
    }
}

// All are waited for, so that none is cut off in the middle of a write.
async fn all_of(mut crew: JoinSet<Result<(), PlayError>>) -> Result<(), PlayError> {
    let mut all = Ok(());
    while let Some(joined) = crew.join_next().await {
        all = all.and(joined.unwrap_or(Err(PlayError::Panicked)));
    }
    all
}
