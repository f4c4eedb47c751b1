use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Read, Row, WriteBehind};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Write-behind on a Redis Stream: acknowledged once Redis has it, so another node can bring it to
/// the database when this one dies.
#[derive(Clone)]
pub struct DurableWriteBehind {
    writes: WriteBehind<u64, Item>,
    source: Source,
}

impl DurableWriteBehind {
    // A node that is silent for twice as long is taken for dead.
    const SINK_TIMEOUT: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(50);

    pub(crate) fn new(
        cache: &Cache<u64, Item>,
        source: Source,
        every: Duration,
    ) -> Result<Self, BuildError> {
        let database = source.clone();
        let flush = move |rows: Vec<Row<u64, Item>>| {
            let database = database.clone();
            async move {
                let items: Vec<Item> = rows.into_iter().map(|row| row.value).collect();
                // Rows may come twice, or late: the database ignores what is not newer.
                database.update(&items).await
            }
        };
        let writes = WriteBehind::builder(cache)
            .interval(every)
            .tries(u32::MAX)
            .pauses(Self::PAUSE, Self::PAUSE * 4)
            .sink_timeout(Self::SINK_TIMEOUT)
            .claim_after(Self::SINK_TIMEOUT * 2)
            .durable(flush)?;
        Ok(Self { writes, source })
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.writes.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let version = item.version;
        self.writes.write_version(item.id, item, version).await?;
        Ok(())
    }
}
