//! The leader of a flight, in a task of its own. It asks L2, takes the lease (`leases`), loads,
//! commits to L2 if nothing came in between, and puts the entry into L1 if the fence allows it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::time::timeout;

use super::deadlock::WaitNode;
use super::key_fill::KeyFill;
use super::leases::texts;
use super::nesting;
use super::queueing::LoadPermit;
use crate::connection::Away;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l2::{Commit, EncodedEntry};
use crate::read::cache_core::Core;
use crate::read::l2_entry::L2Entry;
use crate::read::new_entry::{EntryMeta, FillToken};
use crate::read::values::{Load, Loaded};
use crate::recorder::LoadEnded;

/// Entries above this many bytes are encoded one at a time.
const LARGE: usize = 64 * 1024;

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn lead(self: Arc<Self>, fills: Vec<KeyFill<K, V>>, load: Load<K, V>) {
        let held = self.ask_l2(&texts(&fills)).await;
        self.lead_with(fills, held, load).await;
    }

    /// As [`lead`](Self::lead), with an answer that L2 has already given.
    pub(crate) async fn lead_with(
        self: Arc<Self>,
        fills: Vec<KeyFill<K, V>>,
        held: Result<Vec<Option<L2Entry<V>>>, Away>,
        load: Load<K, V>,
    ) {
        let fills = match (&self.l2, held) {
            (Some(l2), Ok(held)) => self.acquire(l2, self.complete_from_l2(fills, held)).await,
            _ => fills,
        };
        if fills.is_empty() {
            return;
        }
        // If no reader waits for this load, the load or write that began it may end earlier.
        let is_detached = fills.iter().all(KeyFill::is_answered);
        let loading = self.load(fills, load);
        match is_detached {
            true => nesting::detached(loading).await,
            false => loading.await,
        }
    }

    /// Completes the fills that L2 has an entry for. The others remain.
    pub(crate) fn complete_from_l2(
        &self,
        fills: Vec<KeyFill<K, V>>,
        held: Vec<Option<L2Entry<V>>>,
    ) -> Vec<KeyFill<K, V>> {
        let both = fills.into_iter().zip(held);
        both.filter_map(|(fill, held)| self.complete_or_refresh(fill, held)).collect()
    }

    /// Completes the fill if the entry of L2 is fresh and newer than the entry being refreshed.
    pub(crate) fn complete_or_refresh(
        &self,
        mut fill: KeyFill<K, V>,
        held: Option<L2Entry<V>>,
    ) -> Option<KeyFill<K, V>> {
        let act = || {
            match held.filter(L2Entry::is_usable) {
                None => fill.found_nothing(),
                Some(held) if self.knows_newer(&fill.fill_token.key, held.meta.version) => {
                    fill.overwrites(&held);
                }
                Some(held) if held.is_fresh() && !fill.has_as_new(&held) => {
                    fill.complete_from_l2(held);
                    return None;
                }
                Some(held) => fill.refreshes(held),
            }
            Some(fill)
        };
        self.recorder.contain(act).flatten()
    }

    async fn load(self: &Arc<Self>, fills: Vec<KeyFill<K, V>>, load: Load<K, V>) {
        let Some((permit, fills)) = self.load_permit(fills).await else { return };
        // If the code of a key panics while it is copied, only that key fails.
        let copied = |fill: KeyFill<K, V>| {
            let key = self.recorder.contain(|| fill.fill_token.key.clone())?;
            Some((fill, key))
        };
        let (fills, keys): (Vec<_>, Vec<_>) = fills.into_iter().filter_map(copied).unzip();
        if !fills.is_empty() {
            let leases = self.leases(&fills);
            self.keeping_leases(leases, self.load_and_complete(fills, (keys, permit), load)).await;
        }
    }

    async fn load_and_complete(
        &self,
        fills: Vec<KeyFill<K, V>>,
        (keys, permit): (Vec<K>, LoadPermit),
        load: Load<K, V>,
    ) {
        let began = std::time::Instant::now();
        let flights = fills.iter().map(|fill| Arc::clone(&fill.flight().waits)).collect();
        let loaded = self.ask_source(permit, (keys, flights), load).await;
        let took = began.elapsed();
        match loaded {
            Ok(values) => {
                self.recorder.load_ended(took, LoadEnded::Answered);
                self.recorder.load_of(fills.iter().map(|fill| fill.fill_token.label), took);
                self.complete_loaded(fills, values, took).await;
            }
            Err(error) => {
                self.recorder.load_ended(took, LoadEnded::Failed);
                self.serve_stale_or_fail(fills, &error).await;
            }
        }
    }

    /// The load runs in a task of its own, so neither its panic nor its slowness reaches the
    /// leader.
    async fn ask_source(
        &self,
        permit: LoadPermit,
        whose: (Vec<K>, Vec<Arc<WaitNode>>),
        load: Load<K, V>,
    ) -> Result<HashMap<K, Loaded<V>>, LoadError> {
        self.recorder.load_began();
        let loading = |keys| async move {
            // Held until the load has ended, even if no reader waits any more.
            let _permit = permit;
            // Creating the future may panic as well as running it.
            load(keys).await
        };
        let running = nesting::spawn_load(self, whose, loading);
        let abort = running.abort_handle();
        match timeout(self.policy.load_timeout * 2, running).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) => Err(LoadError::Panicked),
            Err(_) => {
                abort.abort();
                Err(LoadError::TimedOut)
            }
        }
    }

    async fn complete_loaded(
        &self,
        fills: Vec<KeyFill<K, V>>,
        values: HashMap<K, Loaded<V>>,
        took: Duration,
    ) {
        // Shared, because an invalidation between two fills of one key makes both lead.
        let values: HashMap<K, Loaded<Arc<V>>> =
            values.into_iter().map(|(key, loaded)| (key, loaded.shared())).collect();
        // Looked up once for each key: if the code of a key panics, only that key fails.
        let found = |fill: KeyFill<K, V>| {
            let loaded = self.recorder.contain(|| values.get(&fill.fill_token.key))?;
            Some((fill, loaded))
        };
        let (lagging, fills): (Vec<_>, Vec<_>) =
            fills.into_iter().filter_map(found).partition(|(fill, loaded)| {
                loaded.is_some_and(|loaded| fill.has_newer(loaded.version))
            });
        if !lagging.is_empty() {
            let lagging = lagging.into_iter().map(|(fill, _)| fill).collect();
            self.serve_stale_or_fail(lagging, &LoadError::Lagging).await;
        }
        let mut results = Vec::with_capacity(fills.len());
        let (mut commits, mut unwritten) = (Vec::new(), Vec::new());
        for (fill, loaded) in fills {
            let meta = EntryMeta::of(loaded, self.l2_fresh_for(loaded), took);
            let value = loaded.map(|loaded| Arc::clone(&loaded.value));
            let written = || {
                let FillToken { text, stamp, .. } = &fill.fill_token;
                let written = self.encode(text, value.as_deref(), &meta, *stamp);
                // Otherwise the refreshed entry would stay and be served until the end of its time
                // to live.
                written.or_else(|| fill.refreshed().map(|_| EncodedEntry::nothing()))
            };
            if let Some(expects) = fill.expects()
                && let Some(written) = written()
            {
                let key = fill.fill_token.text.clone();
                if written.bytes.len() > LARGE {
                    // Encoding many large entries takes long, and their leases must be renewed
                    // meanwhile.
                    tokio::task::yield_now().await;
                }
                commits.push((results.len(), Commit { key, expects, written }));
            } else {
                unwritten.push(results.len());
            }
            results.push((fill, value, meta));
        }
        let mut kept = vec![true; results.len()];
        self.commit(commits, &mut kept).await;
        self.release(unwritten.into_iter().map(|place| &results[place].0)).await;
        for ((fill, value, meta), kept) in results.into_iter().zip(kept) {
            self.recorder.contain(|| match kept {
                true => fill.complete(value, &meta, Outcome::Loaded),
                false => fill.complete_unkept(value, &meta),
            });
        }
    }

    /// Writes to L2. If an invalidation has overtaken a value, it answers the readers, but no level
    /// keeps it.
    async fn commit(&self, commits: Vec<(usize, Commit)>, kept: &mut [bool]) {
        let Some(l2) = self.l2.as_ref().filter(|_| !commits.is_empty()) else { return };
        let (places, commits): (Vec<usize>, Vec<Commit>) = commits.into_iter().unzip();
        let Ok(committed) = l2.commit(&commits).await else { return };
        for ((place, commit), committed) in places.into_iter().zip(&commits).zip(committed) {
            kept[place] = committed;
            let count = match committed {
                true => &self.recorder.l2_puts,
                false => &self.recorder.l2_refused,
            };
            count.add(u64::from(!(committed && commit.written.is_nothing())));
        }
    }

    /// After a failed load: restores claimed entries in L2, where any node may serve them stale,
    /// gives up the leases, and answers the readers with a stale entry or the error.
    pub(crate) async fn serve_stale_or_fail(&self, fills: Vec<KeyFill<K, V>>, error: &LoadError) {
        self.give_back(&fills).await;
        for fill in fills {
            self.recorder.contain(|| fill.fail(error.clone()));
        }
    }

    /// Gives up leases, and restores the entries that were claimed for them.
    pub(crate) async fn give_back(&self, fills: &[KeyFill<K, V>]) {
        let restores: Vec<Commit> = fills.iter().filter_map(KeyFill::restore).collect();
        if let Some(l2) = self.l2.as_ref().filter(|_| !restores.is_empty()) {
            let _: Result<Vec<bool>, Away> = l2.commit(&restores).await;
        }
        self.release(fills).await;
    }
}
