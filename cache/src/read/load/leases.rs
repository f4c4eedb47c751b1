//! How the leader of a flight takes leases, so that one node at a time loads a key, and how it
//! waits while other nodes hold them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::key_fill::KeyFill;
use super::nesting;
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::l2::{HeldLease, Keyspace, L2Content, Lease, RefreshLease};
use crate::read::cache_core::Core;

/// The longest wait for leases of writes, and for leases of nodes of an earlier version, however
/// many follow each other. A write may take any time, and the leases of an earlier version outlive
/// their node. A load that another load waits for waits no longer either, since the two may wait
/// for each other across nodes.
const OTHERS_WAIT: Duration = Duration::from_millis(500);

/// How often the content of L2 may change while leases are taken, before the load begins without
/// them.
const ROUNDS: usize = 4;

/// The fills of a flight, sorted by the result for their leases.
struct FillsByLease<K: Key, V: Value> {
    ours: Vec<KeyFill<K, V>>,
    theirs: Vec<LeasedElsewhere<K, V>>,
    /// Redis cannot be asked, or the content changed each time.
    without: Vec<KeyFill<K, V>>,
}

/// A fill whose lease another node holds.
struct LeasedElsewhere<K: Key, V: Value> {
    fill: KeyFill<K, V>,
    lease: HeldLease,
}

impl<K: Key, V: Value> FillsByLease<K, V> {
    fn new() -> Self {
        Self { ours: Vec::new(), theirs: Vec::new(), without: Vec::new() }
    }

    fn leased(&mut self, mut fill: KeyFill<K, V>, lease: HeldLease) {
        fill.sees(&lease);
        self.theirs.push(LeasedElsewhere { fill, lease });
    }

    fn must_wait(&self) -> bool {
        self.ours.is_empty() && self.without.is_empty() && !self.theirs.is_empty()
    }
}

impl<K: Key, V: Value> Core<K, V> {
    /// Takes the leases that are free. If other nodes hold all of them, waits for at most
    /// `lease_wait` and completes the fills with the entries that those nodes load. If this node
    /// gets one lease, it loads the other keys along with it. Refreshes are the exception: they
    /// continue to wait, while the older value is served.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        l2: &Keyspace,
        fills: Vec<KeyFill<K, V>>,
    ) -> Vec<KeyFill<K, V>> {
        let lease = Lease::of_load();
        let began = Instant::now();
        let mut sorted = FillsByLease::new();
        self.ask_for_leases((l2, &lease), fills, &mut sorted).await;
        while sorted.must_wait() {
            let Some(changed) = self.wait(l2, &mut sorted.theirs, began).await else { break };
            self.ask_for_leases((l2, &lease), changed, &mut sorted).await;
        }
        let FillsByLease { ours, theirs, without } = sorted;
        let mut ready = ours;
        ready.extend(without);
        if ready.is_empty() {
            return theirs.into_iter().map(|leased| leased.fill).collect();
        }
        let (later, now): (Vec<_>, Vec<_>) =
            theirs.into_iter().partition(|leased| leased.fill.is_refresh());
        ready.extend(now.into_iter().map(|leased| leased.fill));
        if !later.is_empty() {
            nesting::spawn_detached(Arc::clone(self).follow(later, began));
        }
        ready
    }

    /// Waits for refreshes of other nodes, without a load of its own. The next reader begins one if
    /// necessary.
    async fn follow(self: Arc<Self>, mut theirs: Vec<LeasedElsewhere<K, V>>, began: Instant) {
        let Some(l2) = &self.l2 else { return };
        while !theirs.is_empty() {
            let Some(changed) = self.wait(l2, &mut theirs, began).await else { break };
            let Ok(rest) = self.look_again(changed).await else { break };
            rest.into_iter().for_each(KeyFill::leave);
        }
        theirs.into_iter().for_each(|leased| leased.fill.leave());
    }

    /// Waits until a lease of another node has changed or is gone, and returns its fills. `None` if
    /// the wait is over or Redis cannot be asked.
    async fn wait(
        &self,
        l2: &Keyspace,
        theirs: &mut Vec<LeasedElsewhere<K, V>>,
        began: Instant,
    ) -> Option<Vec<KeyFill<K, V>>> {
        let until = theirs.iter().map(|leased| self.waits_until(leased, began)).min()?;
        if until <= Instant::now() {
            return None;
        }
        let leases = theirs.iter().map(|leased| leased.lease.clone()).collect();
        let waiting = l2.lease_waits.wait(leases, began);
        let changed = timeout_at(until, waiting).await.ok()?.ok()?;
        let mut fills = Vec::with_capacity(changed.len());
        for at in changed.into_iter().rev() {
            fills.push(theirs.remove(at).fill);
        }
        Some(fills)
    }

    fn waits_until(&self, leased: &LeasedElsewhere<K, V>, began: Instant) -> Instant {
        // The write that waits for this read holds the lease of the key itself.
        let is_own = self.recorder.contain(|| self.is_within_a_write(&leased.fill.fill_token.key));
        if is_own == Some(true) {
            return began;
        }
        let longest = began + self.policy.lease_wait;
        let since = match leased.fill.others_since() {
            Some(since) => since,
            None if nesting::is_run_by_a_load() => began,
            None => return longest,
        };
        longest.min(since + OTHERS_WAIT)
    }

    async fn ask_for_leases(
        &self,
        ask: (&Keyspace, &Lease),
        mut fills: Vec<KeyFill<K, V>>,
        sorted: &mut FillsByLease<K, V>,
    ) {
        for _ in 0..ROUNDS {
            if fills.is_empty() {
                return;
            }
            // L2 is not used while the bus is silent.
            if !self.trusts_l2() {
                break;
            }
            let (refreshing, absent): (Vec<_>, Vec<_>) =
                fills.into_iter().partition(KeyFill::is_refreshing);
            fills = self.ask_for_absent(ask, absent, sorted).await;
            fills.extend(self.ask_for_refreshes(ask, refreshing, sorted).await);
        }
        sorted.without.extend(fills);
    }

    /// Returns the fills for which L2 has other content than expected.
    async fn ask_for_absent(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        fills: Vec<KeyFill<K, V>>,
        sorted: &mut FillsByLease<K, V>,
    ) -> Vec<KeyFill<K, V>> {
        let mut again = Vec::new();
        if fills.is_empty() {
            return again;
        }
        let Ok(found) = l2.acquire(&texts(&fills), lease, self.lease_ms()).await else {
            sorted.without.extend(fills);
            return again;
        };
        for (mut fill, found) in fills.into_iter().zip(found) {
            match found {
                L2Content::Nothing => {
                    fill.leased(lease);
                    sorted.ours.push(fill);
                }
                L2Content::Leased(lease) => sorted.leased(fill, lease),
                L2Content::Bytes(bytes) => {
                    let Some(fill) = self.take_place((l2, lease), fill, bytes).await else {
                        continue;
                    };
                    if fill.may_commit() { &mut sorted.ours } else { &mut again }.push(fill);
                }
            }
        }
        again
    }

    /// Completes the fill if L2 has an entry by now. Claims the key if its entry has expired or
    /// cannot be read.
    async fn take_place(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        mut fill: KeyFill<K, V>,
        bytes: Vec<u8>,
    ) -> Option<KeyFill<K, V>> {
        let held = match self.read_back(&fill.fill_token.text, &bytes).await {
            // The entry may be valid.
            Err(Away) => return Some(fill),
            Ok(Some(held)) if held.is_usable() => {
                return self.complete_or_refresh(fill, Some(held));
            }
            Ok(held) => held,
        };
        let claim = (lease, self.lease_ms());
        if l2.claim(&fill.fill_token.text, &bytes, claim).await != Ok(true) {
            return Some(fill);
        }
        let claimed = || {
            fill.claimed(lease, held, bytes);
            fill
        };
        self.recorder.contain(claimed)
    }

    /// Returns the fills whose entries have changed since.
    async fn ask_for_refreshes(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        fills: Vec<KeyFill<K, V>>,
        sorted: &mut FillsByLease<K, V>,
    ) -> Vec<KeyFill<K, V>> {
        if fills.is_empty() {
            return Vec::new();
        }
        let entries: Vec<(&str, &[u8])> = fills.iter().filter_map(KeyFill::refreshed).collect();
        let Ok(leases) = l2.acquire_refreshes(&entries, (lease, self.lease_ms())).await else {
            sorted.without.extend(fills);
            return Vec::new();
        };
        let mut moved = Vec::new();
        for (mut fill, found) in fills.into_iter().zip(leases) {
            match found {
                RefreshLease::Ours => {
                    fill.leased(lease);
                    sorted.ours.push(fill);
                }
                RefreshLease::Held(lease) => sorted.leased(fill, lease),
                RefreshLease::Moved => moved.push(fill),
            }
        }
        match self.look_again(moved).await {
            Ok(again) => again,
            Err(without) => {
                sorted.without.extend(without);
                Vec::new()
            }
        }
    }

    /// Asks L2 again and completes the fills that it can. Returns the rest, or all fills as an
    /// error if Redis cannot be asked.
    async fn look_again(
        &self,
        fills: Vec<KeyFill<K, V>>,
    ) -> Result<Vec<KeyFill<K, V>>, Vec<KeyFill<K, V>>> {
        if fills.is_empty() {
            return Ok(fills);
        }
        let Ok(held) = self.ask_l2(&texts(&fills)).await else { return Err(fills) };
        Ok(self.complete_from_l2(fills, held))
    }
}

pub(crate) fn texts<K: Key, V: Value>(fills: &[KeyFill<K, V>]) -> Vec<&str> {
    fills.iter().map(|fill| fill.fill_token.text.as_str()).collect()
}
