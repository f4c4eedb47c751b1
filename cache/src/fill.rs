//! What the leader of a flight does, detached from its caller: ask L2, else take the lease, load,
//! commit to L2 while the lease is ours, and put into L1 while the fence lets it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::core::{Core, Landing, Life};
use crate::fence::Token;
use crate::l1::Entry;
use crate::l2::{Away, Envelope, Found, Keyspace, Lease};
use crate::read::Load;
use crate::recorder::LoadEnded;
use crate::{Key, LoadError, Value, clock};

const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(25);

/// One key's place in a flight. Its flight ends when it lands or is dropped.
pub(crate) struct Seat<K: Key, V: Value> {
    core: Arc<Core<K, V>>,
    key: K,
    text: String,
    token: Token,
    id: u64,
    landing: watch::Sender<Option<Landing<V>>>,
    /// Whether we hold this key's lease in L2.
    leased: bool,
}

/// A seat, what was loaded for it, and how long that shall live in L2.
type Loaded<K, V> = (Seat<K, V>, Option<Arc<V>>, Duration);

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn fill(self: Arc<Self>, seats: Vec<Seat<K, V>>, load: Load<K, V>) {
        let Some(l2) = &self.l2 else {
            return self.load(seats, None, load).await;
        };
        let (seats, away) = self.land_from_l2(seats).await;
        if seats.is_empty() {
            return;
        }
        if away {
            return self.load(seats, None, load).await;
        }
        let lease = Lease::new();
        let seats = self.acquire(l2, seats, &lease).await;
        if !seats.is_empty() {
            self.load(seats, Some((l2, &lease)), load).await;
        }
    }

    /// Lands the seats that L2 has an entry for; the rest stays. Says whether L2 was away.
    async fn land_from_l2(&self, seats: Vec<Seat<K, V>>) -> (Vec<Seat<K, V>>, bool) {
        let texts: Vec<String> = seats.iter().map(|seat| seat.text.clone()).collect();
        match self.ask_l2(&texts).await {
            Ok(found) => (self.land_found(seats, found), false),
            Err(Away) => (seats, true),
        }
    }

    /// One GET or MGET, timed and counted.
    pub(crate) async fn ask_l2(&self, texts: &[String]) -> Result<Vec<Found>, Away> {
        let l2 = self.l2.as_ref().ok_or(Away)?;
        let began = std::time::Instant::now();
        let found = l2.get(texts).await?;
        self.recorder.l2.latency.record(began.elapsed());
        Ok(found)
    }

    fn land_found(&self, seats: Vec<Seat<K, V>>, found: Vec<Found>) -> Vec<Seat<K, V>> {
        let mut rest = Vec::new();
        for (seat, found) in seats.into_iter().zip(found) {
            match self.decode(&seat.text, found) {
                Some((value, life)) => seat.land(value, life, Outcome::L2Hit),
                None => rest.push(seat),
            }
        }
        rest
    }

    /// What L2 holds for a key, if it can be read and has not expired. Counts hit or miss.
    pub(crate) fn decode(&self, text: &str, found: Found) -> Option<(Option<Arc<V>>, Life)> {
        let entry = match found {
            Found::Bytes(bytes) => self.decode_bytes(text, &bytes),
            Found::Nothing | Found::Leased => None,
        };
        let counter = if entry.is_some() { &self.recorder.l2.hit } else { &self.recorder.l2.miss };
        counter.add(1);
        entry
    }

    fn decode_bytes(&self, text: &str, bytes: &[u8]) -> Option<(Option<Arc<V>>, Life)> {
        let decoded = Envelope::decode(bytes, text, self.policy.schema).ok().and_then(|envelope| {
            let value = envelope.value.map(serde_json::from_slice::<V>).transpose().ok()?;
            Some((value.map(Arc::new), envelope.created_ms, envelope.expires_ms))
        });
        let Some((value, created_ms, expires_ms)) = decoded else {
            self.recorder.l2_unreadable.add(1);
            return None;
        };
        let now_ms = clock::now_ms();
        let left = Duration::from_millis(expires_ms.checked_sub(now_ms).filter(|left| *left > 0)?);
        let age = Duration::from_millis(now_ms.saturating_sub(created_ms));
        Some((value, Life { age, left: Some(left) }))
    }

    /// Takes the leases that are free. Where every key is leased by others, looks again for at
    /// most `lease_wait`; where one is ours, the others' keys cost the load no more.
    async fn acquire(
        &self,
        l2: &Keyspace,
        mut seats: Vec<Seat<K, V>>,
        lease: &Lease,
    ) -> Vec<Seat<K, V>> {
        let deadline = Instant::now() + self.policy.lease_wait;
        let mut pause = FIRST_LOOK;
        loop {
            let texts: Vec<String> = seats.iter().map(|seat| seat.text.clone()).collect();
            let Ok(found) = l2.acquire(&texts, lease, self.lease_ms()).await else {
                return seats;
            };
            let mut rest = Vec::new();
            for (mut seat, found) in seats.into_iter().zip(found) {
                match found {
                    Found::Nothing => seat.leased = true,
                    Found::Leased => {}
                    Found::Bytes(bytes) => {
                        if let Some((value, life)) = self.decode_bytes(&seat.text, &bytes) {
                            seat.land(value, life, Outcome::L2Hit);
                            continue;
                        }
                        // What cannot be read is overwritten.
                        seat.leased = l2.seize(&seat.text, lease, self.lease_ms()).await.is_ok();
                    }
                }
                rest.push(seat);
            }
            seats = rest;
            let now = Instant::now();
            if seats.is_empty() || seats.iter().any(|seat| seat.leased) || now >= deadline {
                return seats;
            }
            tokio::time::sleep(pause.min(deadline - now)).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    async fn load(
        &self,
        seats: Vec<Seat<K, V>>,
        lease: Option<(&Keyspace, &Lease)>,
        load: Load<K, V>,
    ) {
        let began = std::time::Instant::now();
        let loaded = self.ask_source(&seats, load).await;
        let took = began.elapsed();
        match loaded {
            Ok(values) => {
                self.recorder.load_ended(took, LoadEnded::Answered);
                self.land_loaded(seats, lease, (values, took)).await;
            }
            Err(error) => {
                self.recorder.load_ended(took, LoadEnded::Failed);
                if let Some((l2, lease)) = lease {
                    l2.release(lease, &leased(&seats)).await;
                }
                for seat in seats {
                    seat.fail(error.clone());
                }
            }
        }
    }

    /// The load in a task of its own, so that neither its panic nor its slowness is ours.
    async fn ask_source(
        &self,
        seats: &[Seat<K, V>],
        load: Load<K, V>,
    ) -> Result<HashMap<K, V>, LoadError> {
        self.recorder.load_began();
        let keys = seats.iter().map(|seat| seat.key.clone()).collect();
        // Making the future may panic as well as running it.
        let running = tokio::spawn(async move { load(keys).await });
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

    async fn land_loaded(
        &self,
        seats: Vec<Seat<K, V>>,
        lease: Option<(&Keyspace, &Lease)>,
        (mut values, took): (HashMap<K, V>, Duration),
    ) {
        let mut landings = Vec::with_capacity(seats.len());
        for seat in seats {
            let value = values.remove(&seat.key).map(Arc::new);
            let l2_life = self.l2_life(value.as_ref());
            landings.push((seat, value, l2_life));
        }
        let committed = match lease {
            Some((l2, lease)) => self.commit(l2, lease, &landings, took).await,
            None => vec![true; landings.len()],
        };
        for ((seat, value, l2_life), committed) in landings.into_iter().zip(committed) {
            let life = Life::new_in_l2(self.l2.as_ref().map(|_| l2_life));
            if committed {
                seat.land(value, life, Outcome::Loaded);
            } else {
                seat.land_unkept(value, life, Outcome::Loaded);
            }
        }
    }

    /// Writes to L2 what we hold the lease of. `false` for what an invalidation has overtaken:
    /// such a value answers those who wait, and is kept nowhere.
    async fn commit(
        &self,
        l2: &Keyspace,
        lease: &Lease,
        landings: &[Loaded<K, V>],
        took: Duration,
    ) -> Vec<bool> {
        let mut entries = Vec::new();
        let mut places = Vec::new();
        for (i, (seat, value, life)) in landings.iter().enumerate() {
            let bytes = self.encode(&seat.text, value.as_deref(), (*life, took));
            if let (true, Some(bytes)) = (seat.leased, bytes) {
                entries.push((seat.text.clone(), bytes, clock::millis(*life)));
                places.push(i);
            }
        }
        let mut kept = vec![true; landings.len()];
        if entries.is_empty() {
            return kept;
        }
        if let Ok(committed) = l2.commit(lease, &entries).await {
            for (i, committed) in places.into_iter().zip(committed) {
                kept[i] = committed;
                let count =
                    if committed { &self.recorder.l2_puts } else { &self.recorder.l2_refused };
                count.add(1);
            }
        }
        kept
    }

    /// An entry's bytes for L2; `None` for a value that has no JSON or could not live there.
    pub(crate) fn encode(
        &self,
        text: &str,
        value: Option<&V>,
        (life, took): (Duration, Duration),
    ) -> Option<Vec<u8>> {
        if life < Duration::from_millis(1) {
            return None;
        }
        let json = match value.map(serde_json::to_vec).transpose() {
            Ok(json) => json,
            Err(error) => {
                tracing::warn!(cache = self.name, %error, "a value has no JSON form: not kept in L2");
                return None;
            }
        };
        let created_ms = clock::now_ms();
        let envelope = Envelope {
            schema: self.policy.schema,
            created_ms,
            expires_ms: created_ms.saturating_add(clock::millis(life)),
            load_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            value: json.as_deref(),
        };
        Some(envelope.encode(text))
    }

    /// Leases outlive the longest load.
    pub(crate) fn lease_ms(&self) -> u64 {
        clock::millis(self.policy.load_timeout * 2 + Duration::from_secs(1))
    }
}

impl<K: Key, V: Value> Seat<K, V> {
    pub(crate) fn new(
        core: Arc<Core<K, V>>,
        key: K,
        (token, id): (Token, u64),
        landing: watch::Sender<Option<Landing<V>>>,
    ) -> Self {
        Self { text: key.to_string(), core, key, token, id, landing, leased: false }
    }

    /// Keeps the value in L1 if the fence lets it, and answers those who wait.
    fn land(self, value: Option<Arc<V>>, life: Life, outcome: Outcome) {
        let entry = self.core.entry(&self.key, value, self.token, life);
        let keep = || self.core.put_l1(&self.key, &entry);
        if !self.core.fence.fill(&self.key, self.token, keep) {
            self.core.recorder.l1_fenced.add(1);
        }
        self.answer(Ok((entry, outcome)));
    }

    fn land_unkept(self, value: Option<Arc<V>>, life: Life, outcome: Outcome) {
        let entry: Entry<V> = self.core.entry(&self.key, value, self.token, life);
        self.core.recorder.l1_fenced.add(1);
        self.answer(Ok((entry, outcome)));
    }

    fn fail(self, error: LoadError) {
        self.answer(Err(error));
    }

    fn answer(&self, landing: Landing<V>) {
        self.core.fence.leave(&self.key, self.id);
        self.landing.send_replace(Some(landing));
    }
}

impl<K: Key, V: Value> Drop for Seat<K, V> {
    fn drop(&mut self) {
        self.core.fence.leave(&self.key, self.id);
    }
}

fn leased<K: Key, V: Value>(seats: &[Seat<K, V>]) -> Vec<String> {
    seats.iter().filter(|seat| seat.leased).map(|seat| seat.text.clone()).collect()
}
