use std::sync::atomic::Ordering::SeqCst;

use shuttle::rand::Rng;

use super::world::{Entry, Flaw, N_KEYS, Slot, World};

/// A change to the source's row, or an event that only affects caches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Invalidate,
    MarkStale,
    /// By a pattern that matches every key.
    InvalidatePattern,
    Clear,
    Write,
    /// This node may have missed an invalidation, so no entry in L1 counts.
    RaiseEpoch,
}

impl Change {
    pub(super) fn any() -> Self {
        match shuttle::rand::thread_rng().gen_range(0..6) {
            0 => Self::Invalidate,
            1 => Self::MarkStale,
            2 => Self::InvalidatePattern,
            3 => Self::Clear,
            4 => Self::RaiseEpoch,
            _ => Self::Write,
        }
    }
}

impl World {
    pub(super) fn change(&self, key: usize, change: Change) {
        match change {
            Change::Invalidate => {
                let version = self.commit(key);
                self.invalidate(key);
                self.acknowledge(key, version);
            }
            Change::MarkStale => self.mark_stale(key),
            Change::InvalidatePattern => self.invalidate_all(|| {
                self.fence.overtake_all();
                self.each_key(|key| {
                    self.l1.lock().unwrap().remove(&key);
                });
            }),
            Change::Clear => self.invalidate_all(|| {
                self.fence.raise_epoch();
                self.l1.lock().unwrap().clear();
            }),
            Change::RaiseEpoch => {
                let version = self.commit(key);
                self.remove_l2(key);
                self.fence.raise_epoch();
                self.l1.lock().unwrap().clear();
                self.acknowledge(key, version);
            }
            Change::Write => self.write(key),
        }
    }

    fn commit(&self, key: usize) -> u64 {
        self.rows[key].fetch_add(1, SeqCst) + 1
    }

    fn invalidate(&self, key: usize) {
        let drop_l1 = || self.fence.overtake(&key, || self.l1.lock().unwrap().remove(&key));
        if self.flaw == Some(Flaw::L1BeforeL2) {
            drop_l1();
            self.remove_l2(key);
        } else {
            self.remove_l2(key);
            drop_l1();
        }
    }

    fn mark_stale(&self, key: usize) {
        self.fence.overtake(&key, || {
            if let Some(entry) = self.look(key) {
                self.put_l1(key, Entry { is_fresh: false, ..entry });
            }
        });
    }

    fn invalidate_all(&self, drop_l1: impl Fn()) {
        let versions: [u64; N_KEYS] = std::array::from_fn(|key| self.commit(key));
        drop_l1();
        self.each_key(|key| self.remove_l2(key));
        drop_l1();
        for (key, version) in versions.into_iter().enumerate() {
            self.acknowledge(key, version);
        }
    }

    /// The lease and the token are taken before the source commits.
    fn write(&self, key: usize) {
        let token = self.fence.token(&key);
        let lease = self.next_lease();
        if let Some(l2) = &self.l2 {
            l2.lock().unwrap().insert(key, Slot::Lease(lease));
        }
        let version = self.commit(key);
        let entry = Entry { version, epoch: token.epoch(), is_fresh: true };
        let put = || self.put_l1(key, entry);
        let stored = self.replace_l2(key, (lease, version))
            && match self.flaw {
                Some(Flaw::WriteThatOvertakesNobody) => self.fence.fill(&key, token, put),
                _ => self.fence.fill_and_overtake(&key, token, put),
            };
        if !stored {
            self.fence.overtake(&key, || self.l1.lock().unwrap().remove(&key));
        }
        self.acknowledge(key, version);
    }

    /// If another writer took the lease meanwhile, it is unknown which value is newer. The script
    /// then removes the entry.
    fn replace_l2(&self, key: usize, (lease, version): (u64, u64)) -> bool {
        let Some(l2) = &self.l2 else { return true };
        let mut l2 = l2.lock().unwrap();
        let ours = l2.get(&key) == Some(&Slot::Lease(lease));
        if ours {
            l2.insert(key, Slot::Value(version));
        } else {
            l2.remove(&key);
        }
        ours
    }

    fn remove_l2(&self, key: usize) {
        if let Some(l2) = &self.l2 {
            l2.lock().unwrap().remove(&key);
        }
    }

    fn each_key(&self, act: impl Fn(usize)) {
        (0..N_KEYS).for_each(act);
    }
}
