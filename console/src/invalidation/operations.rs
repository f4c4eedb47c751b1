use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Pattern, Target};
use strata_report::{Job, JobKind, JobState};

use super::jobs::JobHandle;
use super::task::InvalidationTask;
use crate::access::{Actor, AuditedAction, count_of_entries};
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, check_key};

impl Console {
    /// Removes a key from every level and node. Returns when that is done; goes on to its end
    /// even when the caller goes away.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::Protected`], [`ConsoleError::UnknownCache`],
    /// [`ConsoleError::BadKey`], [`ConsoleError::NodeGone`].
    pub async fn invalidate_key(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<Job, ConsoleError> {
        self.act_on_key(actor, (cache, key), JobKind::Invalidate).await
    }

    /// Marks a key as stale on every level and node: readers are served the older value while one
    /// of them loads it anew.
    ///
    /// # Errors
    /// As [`Console::invalidate_key`], and [`ConsoleError::OnlyObserved`].
    pub async fn mark_key_stale(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<Job, ConsoleError> {
        self.act_on_key(actor, (cache, key), JobKind::MarkStale).await
    }

    async fn act_on_key(
        &self,
        actor: &Actor,
        (cache, key): (&str, &str),
        kind: JobKind,
    ) -> Result<Job, ConsoleError> {
        let task = InvalidationTask::new(actor, cache, Target::Key(key.to_owned())).of_kind(kind);
        let audited = AuditedAction::new(task.action(), cache, key);
        self.authorise_action(actor, audited)?;
        let nodes = self.nodes_with(cache)?;
        check_key(cache, key)?;
        self.check_protection(actor, audited, &task.target)?;
        let job = self.begin(task, nodes).await?;
        Ok(job.finished(Duration::MAX).await)
    }

    /// Begins to remove every key that matches from every level and node, and returns at once.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::Protected`], [`ConsoleError::UnknownCache`],
    /// [`ConsoleError::BadPattern`], [`ConsoleError::NodeGone`], [`ConsoleError::Busy`].
    pub async fn invalidate_pattern(
        &self,
        actor: &Actor,
        cache: &str,
        pattern: &str,
    ) -> Result<Job, ConsoleError> {
        let audited = AuditedAction::new("invalidate_pattern", cache, pattern);
        self.authorise_action(actor, audited)?;
        let nodes = self.nodes_with(cache)?;
        let task = InvalidationTask::new(actor, cache, Target::Pattern(Pattern::parse(pattern)?));
        self.check_protection(actor, audited, &task.target)?;
        Ok(self.begin(task, nodes).await?.now())
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
        let audited = AuditedAction::new("cancel", "", &target);
        self.authorise_action(actor, audited)?;
        let tracked = self.inner.jobs.get(id)?;
        let job = tracked.now();
        // Asked once or twice, it is the same request, so it stands in the trail once.
        if job.state != JobState::Running || !tracked.cancel() {
            return Ok(tracked.now());
        }
        let result = format!(
            "Asked to stop after {} were removed from L2.",
            count_of_entries(job.l2_removed)
        );
        self.inner.audit.record(actor, AuditedAction { cache: &job.cache, ..audited }, result);
        Ok(tracked.now())
    }

    pub(crate) async fn begin(
        &self,
        task: InvalidationTask,
        nodes: Vec<CacheNode>,
    ) -> Result<JobHandle, ConsoleError> {
        // Others are done at once.
        let permit =
            task.is_walk().then(|| self.inner.jobs_begun.begin(task.peer(), "invalidations"));
        let permit = permit.transpose()?;
        let l1 = task.count_l1(&nodes).await?;
        let running = self.inner.jobs.begin(task.job(&nodes, l1), &task.owner);
        let tracked = running.tracked();
        task.record_beginning(self);
        let task = Arc::new(task);
        let running = Arc::clone(&task).run(self.clone(), nodes, running);
        task.spawn(self, async move {
            running.await;
            drop(permit);
        });
        Ok(tracked)
    }
}
