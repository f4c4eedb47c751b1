use std::sync::Arc;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: look, load, set, as three steps that know nothing of each other.
///
/// All who miss at once load at once. And between load and set the item may be changed and
/// forgotten: then the set brings the older value back, until it expires.
#[derive(Clone)]
pub struct FillByHand {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl FillByHand {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let found = self.cache.get(&id).await;
        if found.value.is_some() {
            return Ok(found);
        }
        let loaded = self.source.select(id).await;
        let loaded = loaded.map_err(|error| LoadError::Source(Arc::new(error)))?;
        if let Some(item) = loaded.clone() {
            self.cache.insert(&id, item).await;
        }
        let (value, outcome) = (loaded.map(Arc::new), Outcome::Loaded);
        Ok(Read { value, outcome, age: Duration::ZERO, expires_in: None })
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&id).await;
        Ok(())
    }
}
