use std::collections::HashMap;
use std::io::Error;
use std::sync::{Arc, Mutex};

/// The source. Versions are numbered across all keys; a deleted row has none.
#[derive(Clone, Default)]
pub(super) struct Rows {
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    rows: HashMap<u64, Option<u64>>,
    next: u64,
    is_down: bool,
    asked: Vec<Vec<u64>>,
}

impl Rows {
    pub(super) fn row(&self, key: u64) -> Option<u64> {
        self.table.lock().unwrap().rows.get(&key).copied().flatten()
    }

    pub(super) fn is_down(&self) -> bool {
        self.table.lock().unwrap().is_down
    }

    pub(super) fn set_down(&self, is_down: bool) {
        self.table.lock().unwrap().is_down = is_down;
    }

    pub(super) fn commit(&self, key: u64) -> u64 {
        let mut table = self.table.lock().unwrap();
        table.next += 1;
        let version = table.next;
        table.rows.insert(key, Some(version));
        version
    }

    pub(super) fn delete(&self, key: u64) {
        self.table.lock().unwrap().rows.insert(key, None);
    }

    /// The loads since the last call, each with its keys.
    pub(super) fn take_asked(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.table.lock().unwrap().asked)
    }

    pub(super) async fn load(self, key: u64) -> Result<Option<u64>, Error> {
        Ok(self.load_many(vec![key]).await?.remove(&key))
    }

    pub(super) async fn load_many(self, keys: Vec<u64>) -> Result<HashMap<u64, u64>, Error> {
        self.table.lock().unwrap().asked.push(keys.clone());
        if self.is_down() {
            return Err(Error::other("the source is down"));
        }
        Ok(keys.into_iter().filter_map(|key| Some((key, self.row(key)?))).collect())
    }
}
