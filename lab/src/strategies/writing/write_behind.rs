use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Read, WriteBehind};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Write-behind in memory: a write is acknowledged at once, and the database hears of it later.
///
/// Many writes of one item become one. What the database has not heard of dies with the process.
#[derive(Clone)]
pub struct WriteBehindInMemory {
    writes: WriteBehind<u64, Item>,
    source: Source,
}

impl WriteBehindInMemory {
    pub(crate) fn new(
        cache: &Cache<u64, Item>,
        source: Source,
        every: Duration,
    ) -> Result<Self, BuildError> {
        let database = source.clone();
        let flush = move |rows: Vec<(u64, Item)>| {
            let database = database.clone();
            async move {
                let items: Vec<Item> = rows.into_iter().map(|(_, item)| item).collect();
                database.update(&items).await
            }
        };
        let writes = WriteBehind::builder(cache).interval(every).in_memory(flush)?;
        Ok(Self { writes, source })
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.writes.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.writes.write(item.id, item).await?;
        Ok(())
    }

    pub(crate) fn has_unwritten(&self) -> bool {
        self.writes.report().queued > 0
    }
}
