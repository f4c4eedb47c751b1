//! How leases are taken, renewed and given back. The lease of a refresh lies beside the entry,
//! which remains in place.

use redis::pipe;

use super::lease::{HeldLease, Lease, RefreshLease};
use crate::connection::{Away, CallError, Step};
use crate::l2::keyspace::{Keyspace, L2Content};
use crate::l2::scripts;

impl Keyspace {
    /// Takes the lease of each key that is free. `Nothing` means that this caller now holds it.
    pub(crate) async fn acquire(
        &self,
        keys: &[&str],
        lease: &Lease,
        ttl_ms: u64,
    ) -> Result<Vec<L2Content>, Away> {
        self.refuse_while_waiting()?;
        let mut acquired = Vec::with_capacity(keys.len());
        while acquired.len() < keys.len() {
            let rest = &keys[acquired.len()..];
            let some = &rest[..rest.len().min(self.entry_bytes.keys_at_once())];
            let mut pipe = pipe();
            self.names.register(&mut pipe, self.ended_ms(ttl_ms));
            for key in some {
                pipe.cmd("SET").arg(self.entry(key)).arg(&lease.0);
                pipe.arg("NX").arg("GET").arg("PX").arg(ttl_ms.max(1));
            }
            let values: Vec<Option<Vec<u8>>> = self.link.ask(Step::Acquire, &pipe).await?;
            acquired.extend(some.iter().zip(values).map(|(key, value)| self.found(key, value)));
        }
        Ok(acquired)
    }

    /// Takes a key's lease for a write, whatever the key holds: an entry or another holder's lease.
    pub(crate) async fn seize(&self, key: &str, lease: &Lease, ttl_ms: u64) -> Result<(), Away> {
        let mut set = pipe();
        self.names.register(&mut set, self.ended_ms(ttl_ms));
        set.cmd("SET").arg(self.entry(key)).arg(&lease.0).arg("PX").arg(ttl_ms.max(1)).ignore();
        Ok(self.link.ask(Step::Seize, &set).await?)
    }

    /// Replaces unusable bytes by a lease, if they are still there.
    pub(crate) async fn claim(
        &self,
        key: &str,
        seen: &[u8],
        (lease, ttl_ms): (&Lease, u64),
    ) -> Result<bool, Away> {
        self.register(Step::Claim, ttl_ms).await?;
        let mut claim = scripts::CLAIM.prepare_invoke();
        claim.key(self.entry(key)).arg(seen).arg(&lease.0).arg(ttl_ms.max(1));
        Ok(self.link.ask(Step::Claim, &claim).await?)
    }

    /// Gives leases back after a failed load. Correctness does not depend on it, since leases
    /// expire.
    pub(crate) async fn release(&self, lease: &Lease, places: &[String]) {
        let mut release = scripts::RELEASE.prepare_invoke();
        release.arg(&lease.0);
        for place in places {
            release.key(place.as_str());
        }
        let _: Result<(), CallError> = self.link.ask(Step::Release, &release).await;
    }
}

impl Keyspace {
    /// Takes the lease to refresh each entry, given by its key and header, if that entry is still
    /// there.
    pub(crate) async fn acquire_refreshes(
        &self,
        entries: &[(&str, &[u8])],
        (lease, ttl_ms): (&Lease, u64),
    ) -> Result<Vec<RefreshLease>, Away> {
        self.refuse_while_waiting()?;
        let mut leases = Vec::with_capacity(entries.len());
        for entries in entries.chunks(crate::l2::batches::AT_ONCE) {
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

    /// Renews leases that are still held.
    pub(crate) async fn renew(&self, lease: &Lease, places: &[String], ttl_ms: u64) {
        for places in places.chunks(crate::l2::batches::AT_ONCE) {
            let mut renew = scripts::RENEW.prepare_invoke();
            renew.arg(lease.as_bytes()).arg(ttl_ms.max(1));
            for place in places {
                renew.key(place.as_str());
            }
            let _: Result<(), CallError> = self.link.ask(Step::Renew, &renew).await;
        }
    }

    /// The key of the lease of a refresh. Scripts know it as `lease_beside`.
    pub(crate) fn beside(&self, key: &str) -> String {
        self.entry(key).replacen("}:", "}!lease:", 1)
    }
}
