use std::sync::Arc;

use strata_cache::ErrorChain;
use strata_demo::Item;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::requests::{Request, recorded, requests};
use super::trace::{Level, TraceLine};
use super::{PlayError, Stage};
use crate::StrategyKind;

/// What a script does on its stage.
impl Stage {
    /// Changes an item on a node, numbered from 1; says whether the write was acknowledged.
    ///
    /// # Errors
    /// When the stage is stopped or the node was killed.
    pub async fn write(&self, node: usize, id: u64) -> Result<bool, PlayError> {
        let _acting = self.acting.read().await;
        let seat = self.seat(node)?;
        let (version, started) = (self.ledger.next(id), Instant::now());
        let item = Item { id, version, body: "y".repeat(self.settings.item_bytes) };
        let written = seat.strategy.write(item).await;
        self.go_on()?;
        let (level, answer) = match &written {
            Ok(()) => {
                self.ledger.acknowledge(id, version);
                self.tally.acknowledged();
                (self.acknowledges(), "acknowledged".to_owned())
            }
            Err(error) => {
                self.tally.refused();
                (Level::Nowhere, format!("failed to {}", ErrorChain(error)))
            }
        };
        let command = format!("write {id}, version {version}: {answer}");
        self.trace.push(TraceLine::of(level, Some(seat.number), command, started));
        Ok(written.is_ok())
    }

    /// Makes the requests of the settings; as many at once as there are readers, on all nodes in
    /// turn. With one reader and one node the counts depend on the seed alone.
    ///
    /// # Errors
    /// When the stage is stopped or a node was killed.
    pub async fn requests(self: &Arc<Self>) -> Result<(), PlayError> {
        self.make(requests(&self.settings).collect()).await
    }

    /// Makes requests that were recorded, by the numbers of their items; as
    /// [`requests`](Self::requests) makes its own.
    ///
    /// # Errors
    /// When the stage is stopped or a node was killed.
    pub async fn recorded(self: &Arc<Self>, ids: &[u32]) -> Result<(), PlayError> {
        self.make(recorded(&self.settings, ids).into()).await
    }

    async fn make(self: &Arc<Self>, all: Arc<[Request]>) -> Result<(), PlayError> {
        let (readers, nodes) = (self.settings.readers, self.settings.nodes);
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
