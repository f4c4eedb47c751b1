//! How a node renews the leases of a load or a write while it runs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use super::key_fill::KeyFill;
use crate::clock;
use crate::key::{Key, Value};
use crate::l2::Lease;
use crate::read::cache_core::Core;

/// How long a lease lives. It is renewed every third of this time while the load or the write runs.
/// If the node dies, it therefore holds up other nodes no longer than this.
const LEASE: Duration = Duration::from_secs(3);

/// Leases, each with the keys in Redis that hold it.
pub(crate) type Leases = HashMap<Lease, Vec<String>>;

impl<K: Key, V: Value> Core<K, V> {
    /// Runs a load or a write and renews its leases exactly as long, however it ends.
    pub(crate) async fn keeping_leases<T>(
        &self,
        leases: Leases,
        load: impl Future<Output = T>,
    ) -> T {
        tokio::select! {
            biased;
            loaded = load => loaded,
            never = self.keep_leases(leases) => match never {},
        }
    }

    async fn keep_leases(&self, leases: Leases) -> Infallible {
        let Some(l2) = &self.l2 else { return std::future::pending().await };
        let lease_ms = self.lease_ms();
        loop {
            tokio::time::sleep(Duration::from_millis(lease_ms) / 3).await;
            for (lease, places) in &leases {
                l2.renew(lease, places, lease_ms).await;
            }
        }
    }

    pub(crate) async fn release<'a>(&self, fills: impl IntoIterator<Item = &'a KeyFill<K, V>>) {
        let Some(l2) = &self.l2 else { return };
        for (lease, places) in self.leases(fills) {
            l2.release(&lease, &places).await;
        }
    }

    /// The leases that the fills hold.
    pub(crate) fn leases<'a>(&self, fills: impl IntoIterator<Item = &'a KeyFill<K, V>>) -> Leases {
        let mut leases = Leases::new();
        let Some(l2) = &self.l2 else { return leases };
        for (lease, place) in fills.into_iter().filter_map(|fill| fill.lease(l2)) {
            leases.entry(lease.clone()).or_default().push(place);
        }
        leases
    }

    /// The lease of a write, and its key in Redis.
    pub(crate) fn write_lease(&self, lease: &Lease, text: &str) -> Leases {
        let places = self.l2.iter().map(|l2| l2.entry(text)).collect();
        Leases::from([(lease.clone(), places)])
    }

    /// The time to live of a lease that is not renewed.
    pub(crate) fn lease_ms(&self) -> u64 {
        clock::millis(LEASE.min(self.policy.load_timeout * 2 + Duration::from_secs(1)))
    }
}
