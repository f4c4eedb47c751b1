use std::collections::{HashSet, VecDeque};

use crate::pattern::Pattern;

/// An invalidation that could not reach L2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pending {
    Key { cache: String, key: String },
    Pattern { cache: String, pattern: Pattern },
    Tag { cache: String, tag: String },
    All { cache: String },
}

impl Pending {
    pub(crate) fn cache(&self) -> &str {
        match self {
            Self::Key { cache, .. }
            | Self::Pattern { cache, .. }
            | Self::Tag { cache, .. }
            | Self::All { cache } => cache,
        }
    }
}

/// Invalidations that wait for L2 to come back: in order, each once, bounded. When it is full, a
/// cache's invalidations become one that empties the whole cache; none is ever forgotten.
#[derive(Default)]
pub(crate) struct Queue {
    order: VecDeque<Pending>,
    present: HashSet<Pending>,
    overflows: u64,
}

impl Queue {
    pub(crate) const MAX: usize = 10_000;

    pub(crate) fn push(&mut self, pending: Pending) {
        let all = Pending::All { cache: pending.cache().to_owned() };
        if self.present.contains(&pending) || self.present.contains(&all) {
            return;
        }
        if self.order.len() >= Self::MAX && pending != all {
            self.overflows += 1;
            return self.push(all);
        }
        if pending == all {
            self.order.retain(|other| other.cache() != all.cache());
            self.present.retain(|other| other.cache() != all.cache());
        }
        self.present.insert(pending.clone());
        self.order.push_back(pending);
    }

    /// Takes the oldest out.
    pub(crate) fn pop(&mut self) -> Option<Pending> {
        let oldest = self.order.pop_front()?;
        self.present.remove(&oldest);
        Some(oldest)
    }

    /// Puts back what could not be replayed, unless it has come again meanwhile.
    pub(crate) fn put_back(&mut self, pending: Pending) {
        let all = Pending::All { cache: pending.cache().to_owned() };
        if !self.present.contains(&all) && self.present.insert(pending.clone()) {
            self.order.push_front(pending);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn overflows(&self) -> u64 {
        self.overflows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Pending {
        Pending::Key { cache: "users".into(), key: n.to_string() }
    }

    #[test]
    fn an_invalidation_waits_once_however_often_it_is_asked_for() {
        let mut queue = Queue::default();
        queue.push(key(1));
        queue.push(key(1));
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_full_queue_empties_whole_caches_rather_than_forget() {
        let mut queue = Queue::default();
        for n in 0..=Queue::MAX {
            queue.push(key(n));
        }
        assert_eq!((queue.len(), queue.overflows()), (1, 1));
        queue.push(key(3));
        assert_eq!(queue.len(), 1, "the whole cache covers the key");
        assert_eq!(queue.pop(), Some(Pending::All { cache: "users".into() }));
    }

    #[test]
    fn an_invalidation_that_comes_again_while_it_is_replayed_is_replayed_again() {
        let mut queue = Queue::default();
        queue.push(key(1));
        let replaying = queue.pop().unwrap();
        queue.push(key(1));
        assert_eq!(queue.len(), 1);
        queue.put_back(replaying);
        assert_eq!(queue.len(), 1, "one of the two is enough");
    }
}
