use std::time::Duration;

use strata_cache::Pattern;
use strata_report::{Job, JobState};

use crate::audit::{Deed, entries};
use crate::errand::Errand;
use crate::jobs::Tracked;
use crate::keys::{Holder, check_key};
use crate::survivors::Target;
use crate::{Actor, Console, ConsoleError};

impl Console {
    /// Removes a key from every level and node. Returns when that is done; goes on to its end
    /// even when the caller goes away.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::UnknownCache`], [`ConsoleError::BadKey`],
    /// [`ConsoleError::NodeGone`].
    pub async fn invalidate_key(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<Job, ConsoleError> {
        self.authorise_deed(actor, Deed { action: "invalidate_key", cache, target: key })?;
        let holders = self.holders(cache)?;
        check_key(cache, key)?;
        let errand = Errand::new(actor, cache, Target::Key(key.to_owned()));
        let job = self.begin(errand, holders).await?;
        Ok(job.finished(Duration::MAX).await)
    }

    /// Begins to remove every key that matches from every level and node, and returns at once.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::UnknownCache`], [`ConsoleError::BadPattern`],
    /// [`ConsoleError::NodeGone`].
    pub async fn invalidate_pattern(
        &self,
        actor: &Actor,
        cache: &str,
        pattern: &str,
    ) -> Result<Job, ConsoleError> {
        self.authorise_deed(actor, Deed { action: "invalidate_pattern", cache, target: pattern })?;
        let holders = self.holders(cache)?;
        let pattern = Pattern::parse(pattern)?;
        let errand = Errand::new(actor, cache, Target::Pattern(pattern));
        Ok(self.begin(errand, holders).await?.now())
    }

    /// Waits until a job has ended or `wait` is over; then the job as it stands.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownJob`].
    pub async fn finished(&self, id: u64, wait: Duration) -> Result<Job, ConsoleError> {
        let job = self.inner.jobs.get(id)?;
        Ok(job.finished(wait).await)
    }

    /// A job as it stands.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownJob`].
    pub fn job(&self, id: u64) -> Result<Job, ConsoleError> {
        Ok(self.inner.jobs.get(id)?.now())
    }

    /// The newest 100 jobs, newest first.
    pub fn jobs(&self) -> Vec<Job> {
        self.inner.jobs.newest_first()
    }

    /// Asks a job to stop after its current batch. What it removed stays removed; a job that has
    /// ended stays as it is.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::UnknownJob`].
    pub fn cancel(&self, actor: &Actor, id: u64) -> Result<Job, ConsoleError> {
        let target = id.to_string();
        let deed = Deed { action: "cancel", cache: "", target: &target };
        self.authorise_deed(actor, deed)?;
        let tracked = self.inner.jobs.get(id)?;
        let job = tracked.now();
        let result = if job.state == JobState::Running {
            tracked.cancel();
            format!("Asked to stop after {} were removed from L2.", entries(job.l2_removed))
        } else {
            "It had already ended.".to_owned()
        };
        self.inner.audit.record(actor, Deed { cache: &job.cache, ..deed }, result);
        Ok(job)
    }

    async fn begin(&self, errand: Errand, holders: Vec<Holder>) -> Result<Tracked, ConsoleError> {
        let l1 = errand.count_l1(&holders).await?;
        let running = self.inner.jobs.begin(errand.job(&holders, l1));
        let tracked = running.tracked();
        // A task of its own, so that it ends, and is audited, whoever waits for it.
        tokio::spawn(errand.run(self.clone(), holders, running));
        Ok(tracked)
    }
}
