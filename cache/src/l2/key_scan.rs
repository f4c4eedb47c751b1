use redis::pipe;

use super::envelope::{Envelope, HEADER};
use super::keyspace::Keyspace;
use super::link::Away;
use super::step::Step;
use crate::clock::now_ms;
use crate::pattern::Pattern;

/// What is known of an entry in L2 without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L2Head {
    /// Since it was loaded, milliseconds.
    pub age_ms: u64,
    /// Until it is no longer fresh, milliseconds; 0 where it is not.
    pub expires_in_ms: u64,
    /// Its size, bytes.
    pub bytes: u64,
}

impl Keyspace {
    /// One step of a walk: where to go on, and the keys that match.
    pub(crate) async fn step(
        &self,
        pattern: &Pattern,
        cursor: u64,
    ) -> Result<(u64, Vec<String>), Away> {
        let (next, keys) = self
            .link
            .call_slow(Step::Inspect, |connection| {
                self.scan_step(connection, Some(pattern), cursor)
            })
            .await?;
        let texts = keys.iter().filter_map(|key| self.key_of(key)).map(str::to_owned);
        Ok((next, texts.collect()))
    }

    /// The heads of these keys' entries; leases and what cannot be read have none.
    pub(crate) async fn heads(&self, keys: &[String]) -> Result<Vec<Option<L2Head>>, Away> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = pipe();
        for key in keys {
            ask.cmd("GETRANGE").arg(self.entry(key)).arg(0).arg(HEADER - 1);
            ask.cmd("STRLEN").arg(self.entry(key));
        }
        let heads: Vec<(Vec<u8>, u64)> = self
            .link
            .call_slow(Step::Inspect, |mut connection| async move {
                ask.query_async(&mut connection).await
            })
            .await?;
        Ok(heads.into_iter().map(|(head, bytes)| read(&head, bytes)).collect())
    }
}

fn read(head: &[u8], bytes: u64) -> Option<L2Head> {
    let (created_ms, fresh_until_ms) = Envelope::times(head)?;
    let now_ms = now_ms();
    Some(L2Head {
        age_ms: now_ms.saturating_sub(created_ms),
        expires_in_ms: fresh_until_ms.saturating_sub(now_ms),
        bytes,
    })
}
