use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Least recently used, as in a textbook: what was not read for longest makes room.
///
/// Whatever comes in is kept, so one scan of items that nobody reads twice pushes out all that
/// everybody reads. Other nodes are told of nothing.
#[derive(Clone)]
pub struct LruByHand {
    lru: Arc<Mutex<Lru>>,
    source: Source,
}

struct Lru {
    max: u64,
    clock: u64,
    items: HashMap<u64, (u64, Arc<Item>)>,
    by_age: BTreeMap<u64, u64>,
}

impl LruByHand {
    pub(crate) fn new(max: u64, source: Source) -> Self {
        let lru = Lru { max, clock: 0, items: HashMap::new(), by_age: BTreeMap::new() };
        Self { lru: Arc::new(Mutex::new(lru)), source }
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let found = self.lru().get(id);
        let (value, outcome) = match found {
            Some(item) => (Some(item), Outcome::L1Hit),
            None => (self.load(id).await?, Outcome::Loaded),
        };
        Ok(Read { value, outcome, age: Duration::ZERO, expires_in: None })
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.lru().remove(id);
        Ok(())
    }

    async fn load(&self, id: u64) -> Result<Option<Arc<Item>>, LoadError> {
        let loaded = self.source.select(id).await;
        let loaded = loaded.map_err(|error| LoadError::Source(Arc::new(error)))?.map(Arc::new);
        if let Some(item) = &loaded {
            self.lru().put(id, Arc::clone(item));
        }
        Ok(loaded)
    }

    pub(crate) fn n_entries(&self) -> u64 {
        self.lru().items.len() as u64
    }

    fn lru(&self) -> MutexGuard<'_, Lru> {
        self.lru.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lru {
    fn get(&mut self, id: u64) -> Option<Arc<Item>> {
        let item = self.remove(id)?;
        self.put(id, Arc::clone(&item));
        Some(item)
    }

    fn put(&mut self, id: u64, item: Arc<Item>) {
        self.remove(id);
        self.clock += 1;
        self.items.insert(id, (self.clock, item));
        self.by_age.insert(self.clock, id);
        if self.items.len() as u64 > self.max
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.items.remove(&oldest);
        }
    }

    fn remove(&mut self, id: u64) -> Option<Arc<Item>> {
        let (put_at, item) = self.items.remove(&id)?;
        self.by_age.remove(&put_at);
        Some(item)
    }
}
