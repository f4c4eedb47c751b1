use strata_cache::{Cache, LoadError, Read};
use strata_demo::{Caller, Ctx, Freshness, Item};

use crate::stack::Source;
use crate::strategies::ChangeError;

/// A repository: callers ask for items as themselves, and see neither cache nor database. What one
/// may see is decided after the cache was read, for each caller anew.
#[derive(Clone)]
pub struct Repository {
    items: CachedItems,
}

/// Knows keys and loads, and nothing of callers: an entry is the same for everybody.
#[derive(Clone)]
struct CachedItems {
    cache: Cache<u64, Item>,
    source: Source,
}

/// Items with odd numbers are private: item 7 belongs to user 7.
pub(crate) fn may_see(caller: Caller, id: u64) -> bool {
    id.is_multiple_of(2) || caller.owns(id.cast_signed())
}

impl Repository {
    pub(crate) fn new(cache: Cache<u64, Item>, source: Source) -> Self {
        Self { items: CachedItems { cache, source } }
    }

    pub async fn read_as(&self, ctx: &Ctx, id: u64) -> Result<Read<Item>, LoadError> {
        let read = self.items.get(ctx.freshness, id).await?;
        let value = read.value.filter(|item| may_see(ctx.actor, item.id));
        Ok(Read { value, ..read })
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.read_as(&Ctx::of(Caller::Admin), id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.items.put(item).await
    }
}

impl CachedItems {
    async fn get(&self, how: Freshness, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        let load = move || async move { source.select(id).await };
        match how {
            Freshness::Cached => self.cache.get_or_load(&id, load).await,
            Freshness::Bypass => self.cache.bypass(load()).await,
        }
    }

    async fn put(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&id).await;
        Ok(())
    }
}
