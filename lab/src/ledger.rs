use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was acknowledged: so one can say which reads were stale and which writes are lost.
#[derive(Default)]
pub(super) struct Ledger {
    items: Mutex<HashMap<u64, Writes>>,
}

struct Writes {
    given: u64,
    acknowledged: Vec<u64>,
}

/// Of every item, in the table as it is made.
const FIRST_VERSION: u64 = 1;

impl Ledger {
    /// The version of the next write.
    pub(super) fn next(&self, id: u64) -> u64 {
        let mut items = self.items();
        let writes =
            items.entry(id).or_insert(Writes { given: FIRST_VERSION, acknowledged: Vec::new() });
        writes.given += 1;
        writes.given
    }

    pub(super) fn acknowledge(&self, id: u64, version: u64) {
        if let Some(writes) = self.items().get_mut(&id) {
            writes.acknowledged.push(version);
        }
    }

    /// The newest version that was acknowledged: a read that begins now and answers less is stale.
    pub(super) fn newest(&self, id: u64) -> u64 {
        let items = self.items();
        let newest = items.get(&id).and_then(|writes| writes.acknowledged.iter().max().copied());
        newest.unwrap_or(0)
    }

    /// How many acknowledged writes are neither in the database nor replaced there by a newer one.
    pub(super) fn lost(&self, database: &HashMap<u64, u64>) -> u64 {
        let items = self.items();
        let lost = items.iter().map(|(id, writes)| {
            let there = database.get(id).copied().unwrap_or(0);
            writes.acknowledged.iter().filter(|version| **version > there).count() as u64
        });
        lost.sum()
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    fn items(&self) -> MutexGuard<'_, HashMap<u64, Writes>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_lost_where_the_database_has_nothing_as_new() {
        let ledger = Ledger::default();
        for id in [7, 7, 8] {
            let version = ledger.next(id);
            ledger.acknowledge(id, version);
        }
        assert_eq!((ledger.newest(7), ledger.newest(8), ledger.newest(9)), (3, 2, 0));
        assert_eq!(ledger.lost(&HashMap::from([(7, 1), (8, 1)])), 3);
        assert_eq!(ledger.lost(&HashMap::from([(7, 3), (8, 1)])), 1);
        assert_eq!(ledger.lost(&HashMap::from([(7, 3), (8, 2)])), 0);
    }

    #[test]
    fn a_write_that_was_not_acknowledged_is_not_lost() {
        let ledger = Ledger::default();
        ledger.next(7);
        assert_eq!(ledger.lost(&HashMap::from([(7, 1)])), 0);
    }
}
