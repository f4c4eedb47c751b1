use strata_cache::{LoadError, Read};
use strata_demo::Item;

use super::LevelsByHand;
use crate::strategies::ChangeError;

/// The famous mistake: forget in Redis and in this process, and tell no other.
///
/// Every other node that has read the item answers the older one from its L1 until it expires.
#[derive(Clone)]
pub struct TellNobody {
    pub(crate) levels: LevelsByHand,
}

impl TellNobody {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.levels.read(id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.levels.source.update(&[item]).await?;
        self.levels.redis.remove(id).await?;
        self.levels.l1.invalidate(&id).await;
        Ok(())
    }
}
