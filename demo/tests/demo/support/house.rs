use std::error::Error;
use std::path::Path;
use std::time::Duration;

use strata_cache::Node;
use strata_demo::{Site, Store};
use strata_testing::RedisServer;
use tempfile::TempDir;

pub(crate) const N_USERS: u64 = 60;

/// A seeded store in a directory of its own, and Redis where the test wants it.
pub(crate) struct House {
    pub(crate) store: Store,
    redis: Option<RedisServer>,
    dir: TempDir,
}

impl House {
    /// Without Redis: nodes have L1 alone.
    pub(crate) async fn plain() -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(None, dir.path()).await?;
        store.seed(N_USERS).await?;
        Ok(Self { store, redis: None, dir })
    }

    pub(crate) async fn with_redis() -> Result<Self, Box<dyn Error>> {
        let mut house = Self::plain().await?;
        house.redis = Some(RedisServer::start().await);
        Ok(house)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A copy of the demo on a node of its own.
    pub(crate) async fn site(&self, id: &str) -> Result<Site, Box<dyn Error>> {
        let mut builder = Node::builder("demo-test").id(id);
        if let Some(redis) = &self.redis {
            // Many tests share few processors.
            builder = builder.redis_url(&redis.url()).l2_timeout(Duration::from_secs(2));
        }
        Ok(Site::new(builder.start().await?, self.store.clone())?)
    }
}
