use std::sync::Arc;

use strata_demo::{Random, Zipf};
use tokio::task::JoinSet;

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use crate::settings::Settings;

/// One request to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Read(u64),
    Write(u64),
}

/// The requests that a script makes.
impl Sandbox {
    /// Makes the requests of the settings; as many at once as there are readers, on all nodes in
    /// turn. With one reader and one node the counts depend on the seed alone.
    ///
    /// # Errors
    /// When the sandbox is stopped or a node was killed.
    pub async fn requests(self: &Arc<Self>) -> Result<(), SandboxError> {
        self.make(requests(&self.settings).collect()).await
    }

    /// Makes requests that were recorded, by the numbers of their items; as
    /// [`requests`](Self::requests) makes its own.
    ///
    /// # Errors
    /// When the sandbox is stopped or a node was killed.
    pub async fn recorded(self: &Arc<Self>, ids: &[u32]) -> Result<(), SandboxError> {
        self.make(recorded(&self.settings, ids).into()).await
    }

    async fn make(self: &Arc<Self>, all: Arc<[Request]>) -> Result<(), SandboxError> {
        let (readers, nodes) = (self.settings.readers, self.settings.nodes);
        let mut crew = JoinSet::new();
        for reader in 0..readers {
            let (sandbox, all) = (Arc::clone(self), Arc::clone(&all));
            crew.spawn(async move {
                for (turn, request) in all.iter().enumerate().skip(reader).step_by(readers) {
                    let node = turn % nodes + 1;
                    match *request {
                        Request::Read(id) => drop(sandbox.read(node, id).await?),
                        Request::Write(id) => drop(sandbox.write(node, id).await?),
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
    /// When the sandbox is stopped or a node was killed.
    pub async fn read_together(self: &Arc<Self>, id: u64) -> Result<(), SandboxError> {
        let mut crew = JoinSet::new();
        for reader in 0..self.settings.readers {
            let sandbox = Arc::clone(self);
            let node = reader % self.settings.nodes + 1;
            crew.spawn(async move { sandbox.read(node, id).await.map(drop) });
        }
        all_of(crew).await
    }
}

// All are waited for, so that none is cut off in the middle of a write.
async fn all_of(mut crew: JoinSet<Result<(), SandboxError>>) -> Result<(), SandboxError> {
    let mut all = Ok(());
    while let Some(joined) = crew.join_next().await {
        all = all.and(joined.unwrap_or(Err(SandboxError::Panicked)));
    }
    all
}

/// The requests of a seed: the same ones for every strategy and on every machine.
fn requests(settings: &Settings) -> impl Iterator<Item = Request> + use<> {
    let zipf = Zipf::new(settings.items, settings.skew);
    let mut random = Random::new(settings.seed);
    let write_share = settings.write_share;
    (0..settings.requests).map(move |_| {
        let id = zipf.sample(&mut random);
        if random.unit() < write_share { Request::Write(id) } else { Request::Read(id) }
    })
}

/// Requests for these items, one after the other; some of them change the item instead.
fn recorded(settings: &Settings, ids: &[u32]) -> Vec<Request> {
    let mut random = Random::new(settings.seed);
    let write_share = settings.write_share;
    let request = |id: &u32| {
        let id = u64::from(*id);
        if random.unit() < write_share { Request::Write(id) } else { Request::Read(id) }
    };
    ids.iter().map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_requests_again() {
        let settings = Settings { write_share: 0.5, ..Settings::default() };
        let other = Settings { seed: 2, ..settings.clone() };
        let all = |settings| requests(settings).collect::<Vec<_>>();
        assert_eq!(all(&settings), all(&settings));
        assert_ne!(all(&settings), all(&other));
        assert_eq!(all(&settings).len(), 200);
    }
}
