use strata_cache::{LoadError, Read};
use strata_demo::Item;

use super::LevelsByHand;
use crate::strategies::ChangeError;

/// The famous mistake: drop the copy in L1 before the one in L2.
///
/// A reader in between finds L1 empty and the older item in Redis, and puts it back into L1. There
/// it stays until it expires, though both levels were told to forget it.
#[derive(Clone)]
pub struct L1First {
    pub(crate) levels: LevelsByHand,
}

impl L1First {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.levels.read(id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.levels.source.update(&[item]).await?;
        self.levels.l1.invalidate(&id).await;
        self.levels.redis.remove(id).await?;
        Ok(())
    }
}
