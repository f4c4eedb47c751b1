use std::time::Duration;

use strata_report::{Job, JobKind, JobState};
use tokio::time::{Instant, sleep};

use crate::audit::Deed;
use crate::clock::now_ms;
use crate::errand::Errand;
use crate::keys::{Holder, check_key};
use crate::survivors::Target;
use crate::{Actor, Console, ConsoleError};

/// How long the new value may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

impl Console {
    /// Loads a key anew from its source now: marks it as stale everywhere and reads it once, as
    /// the service does, so that nobody waits who reads meanwhile. Counts as one read.
    ///
    /// # Errors
    /// As [`Console::soften_key`], and [`ConsoleError::NoSource`], [`ConsoleError::SourceFailed`].
    pub async fn refresh_key(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<Job, ConsoleError> {
        let errand =
            Errand::new(actor, cache, Target::Key(key.to_owned())).of_kind(JobKind::Refresh);
        let deed = Deed::new(errand.action(), cache, key);
        self.authorise_deed(actor, deed)?;
        let holders = self.holders(cache)?;
        check_key(cache, key)?;
        self.check_protection(actor, deed, &errand.target)?;
        let source = self.source(cache).ok_or_else(|| ConsoleError::NoSource(cache.to_owned()))?;
        let since_ms = now_ms();
        let soften = errand.of_kind(JobKind::Soften);
        let mut job = self.begin(soften, holders.clone()).await?.finished(Duration::MAX).await;
        let read = source.read(cache, key).await;
        job.kind = JobKind::Refresh;
        let is_there = read.is_ok() && has_arrived(&holders, (cache, key), since_ms).await;
        let result = match (&read, is_there) {
            (Ok(()), true) => "Done: the value was loaded anew.".to_owned(),
            (Ok(()), false) => "It was asked for and had not arrived after 5 s.".to_owned(),
            (Err(error), _) => format!("Failed: Strata failed to {error}."),
        };
        let deed = Deed { began_at_ms: Some(since_ms), ..deed };
        self.inner.audit.record(actor, deed, result);
        read?;
        if !is_there {
            job.state = JobState::Failed;
        }
        Ok(job)
    }
}

/// Whether some node has a value that was loaded since.
async fn has_arrived(holders: &[Holder], (cache, key): (&str, &str), since_ms: u64) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        for Holder { node, .. } in holders {
            let asked_at_ms = now_ms();
            if let Ok(Some(entry)) = node.look_l1(cache, key).await
                && entry.fresh
                && asked_at_ms.saturating_sub(entry.age_ms) >= since_ms.saturating_sub(1)
            {
                return true;
            }
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(POLL).await;
    }
}
