use strata_cache::{Cache, LoadError, Read};
use strata_demo::{Caller, Ctx, Item};

use super::repository::may_see;
use crate::stack::{Source, SourceError};
use crate::strategies::ChangeError;

/// The famous mistake: what a caller may see is decided inside the load.
///
/// Then the answer made for one caller is kept for all. Callers who come after the owner are shown
/// what is private, and the owner who comes after somebody else is told that there is nothing.
#[derive(Clone)]
pub struct DecisionCached {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl DecisionCached {
    pub async fn read_as(&self, ctx: &Ctx, id: u64) -> Result<Read<Item>, LoadError> {
        let (source, caller) = (self.source.clone(), ctx.actor);
        let load = move || async move {
            let item = source.select(id).await?;
            Ok::<_, SourceError>(item.filter(|item| may_see(caller, item.id)))
        };
        self.cache.get_or_load(&id, load).await
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.read_as(&Ctx::of(Caller::Admin), id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&id).await;
        Ok(())
    }
}
