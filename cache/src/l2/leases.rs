//! The leases of refreshes, which lie beside the entries that stay meanwhile, and how leases are
//! kept while a load runs.

use super::failed::{Away, Failed};
use super::keyspace::{Keyspace, Lease};
use super::lease_waits::HeldLease;
use super::scripts;
use super::step::Step;

/// What became of the lease of one refresh.
pub(crate) enum RefreshLease {
    /// It is ours.
    Ours,
    /// Somebody else refreshes the entry.
    Held(HeldLease),
    /// Another entry lies there by now, or none.
    Moved,
}

impl Keyspace {
    /// Takes the lease to refresh each entry, given by its key and how it begins, if that entry
    /// still lies there.
    pub(crate) async fn acquire_refreshes(
        &self,
        entries: &[(&str, &[u8])],
        (lease, ttl_ms): (&Lease, u64),
    ) -> Result<Vec<RefreshLease>, Away> {
        self.refuse_while_waiting()?;
        let mut leases = Vec::with_capacity(entries.len());
        for entries in entries.chunks(super::AT_ONCE) {
            let mut acquire = scripts::ACQUIRE_REFRESH.prepare_invoke();
            acquire.arg(lease.as_bytes()).arg(ttl_ms.max(1));
            for (key, head) in entries {
                acquire.key(self.entry(key)).arg(*head);
            }
            let held: Vec<Vec<u8>> = self.link.ask(Step::Acquire, &acquire).await?;
            leases.extend(entries.iter().zip(held).map(|((key, _), held)| {
                if held.is_empty() {
                    RefreshLease::Moved
                } else if held == lease.as_bytes() {
                    RefreshLease::Ours
                } else {
                    RefreshLease::Held(HeldLease::new(self.beside(key), held))
                }
            }));
        }
        Ok(leases)
    }

    /// Keeps leases alive that are still ours.
    pub(crate) async fn renew(&self, lease: &Lease, places: &[String], ttl_ms: u64) {
        for places in places.chunks(super::AT_ONCE) {
            let mut renew = scripts::RENEW.prepare_invoke();
            renew.arg(lease.as_bytes()).arg(ttl_ms.max(1));
            for place in places {
                renew.key(place.as_str());
            }
            let _: Result<(), Failed> = self.link.ask(Step::Renew, &renew).await;
        }
    }

    /// Where the lease of a refresh lies. Scripts know it as `lease_beside`.
    pub(crate) fn beside(&self, key: &str) -> String {
        self.entry(key).replacen("}:", "}!lease:", 1)
    }
}
