use std::sync::Arc;
use std::time::Duration;

use strata_cache::Progress;
use strata_report::{Effect, Job, JobError, JobKind, JobState, NodeCount, Plan, Scope};
use tokio::task::JoinHandle;

use crate::access::Peer;
use crate::audit::{Deed, entries};
use crate::clock::now_ms;
use crate::doer::Doer;
use crate::jobs::{BROKE_OFF, Running};
use crate::keys::Holder;
use crate::survivors::{Survivors, Target};
use crate::{Actor, Console, ConsoleError, NodeFace};

/// How long other nodes may take to hear of an invalidation before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is told of a node whose invalidation waits for Redis.
pub(crate) const WAITS: &str = "Redis could not be reached; the invalidation waits for it.";

/// An invalidation on its way.
pub(crate) struct Errand {
    pub(crate) doer: Arc<Doer>,
    pub(crate) cache: String,
    pub(crate) target: Target,
    plan: Option<Plan>,
    kind: JobKind,
}

impl Errand {
    pub(crate) fn new(actor: &Actor, cache: &str, target: Target) -> Self {
        let (doer, cache) = (Doer::new(actor), cache.to_owned());
        Self { doer, cache, target, plan: None, kind: JobKind::Invalidate }
    }

    /// The same, run from a plan.
    pub(crate) fn planned(self, plan: Plan) -> Self {
        Self { plan: Some(plan), ..self }
    }

    /// The same, as another kind of job.
    pub(crate) fn of_kind(self, kind: JobKind) -> Self {
        Self { kind, ..self }
    }

    /// Whose it is.
    pub(crate) fn peer(&self) -> Peer {
        self.doer.actor().peer()
    }

    /// The job of this errand before it begins.
    pub(crate) fn job(&self, holders: &[Holder], l1: Vec<NodeCount>) -> Job {
        Job {
            id: 0,
            cache: self.cache.clone(),
            scope: self.scope(),
            target: self.text().to_owned(),
            actor: self.doer.actor().name.clone(),
            state: JobState::Running,
            l1,
            l1_left: 0,
            l2_scanned: 0,
            l2_removed: 0,
            l2_configured: holders.iter().any(|holder| holder.has_l2),
            started_at_ms: now_ms(),
            ended_at_ms: None,
            kind: self.kind,
            plan: self.plan.clone(),
            ..Job::default()
        }
    }

    /// Runs the work of this errand in a task of its own, so that it ends, and is audited, whoever
    /// waits for it. Where it panics, the trail says so: the answer is `None` then.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        console: &Console,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let (console, doer, action) = (console.clone(), Arc::clone(&self.doer), self.action());
        let (cache, target) = (self.cache.clone(), self.text().to_owned());
        let began_at_ms = Some(now_ms());
        tokio::spawn(async move {
            let done = tokio::spawn(work).await.ok();
            if done.is_none() {
                let deed = Deed { began_at_ms, ..Deed::new(action, &cache, &target) };
                doer.tell_end(&console, deed, format!("Failed: {BROKE_OFF}"));
            }
            done
        })
    }

    /// Writes down that it begins, where that may take long.
    pub(crate) fn tell_beginning(&self, console: &Console) {
        if let Target::Pattern(_) = &self.target {
            let what = match &self.plan {
                Some(plan) => format!("a plan of {} is run.", entries(plan.entries())),
                None => "every key that matches is removed.".to_owned(),
            };
            let deed = Deed::new(self.action(), &self.cache, self.text());
            console.inner.audit.begin(self.doer.actor(), deed, &what);
        }
    }

    /// Does it, and writes down how it ended.
    pub(crate) async fn run(
        self: Arc<Self>,
        console: Console,
        holders: Vec<Holder>,
        running: Running,
    ) {
        let job = self.carry_out(&holders, &running).await;
        let result = result(&job);
        self.end(&console, job, result, running);
    }

    /// Writes down how it ended.
    pub(crate) fn end(&self, console: &Console, job: Job, result: String, running: Running) {
        let deed = Deed {
            began_at_ms: Some(job.started_at_ms),
            ..Deed::new(self.action(), &job.cache, &job.target)
        };
        // Audited first: whoever waits for the end finds it in the trail.
        self.doer.tell_end(console, deed, result);
        running.end(job);
    }

    /// Does it; then the job as it stands, not yet written down.
    pub(crate) async fn carry_out(&self, holders: &[Holder], running: &Running) -> Job {
        let since_ms = now_ms();
        let mut errors = Vec::new();
        let effect = self.remove(holders, running, &mut errors).await;
        let state = match effect {
            Some(Effect::Queued) => JobState::Queued,
            Some(_) if running.is_cancelled() => JobState::Cancelled,
            Some(_) => JobState::Done,
            None => JobState::Failed,
        };
        let survivors = Survivors { cache: &self.cache, target: &self.target, holders, since_ms };
        let patience = if state == JobState::Done { PATIENCE } else { Duration::ZERO };
        let left = match self.kind {
            JobKind::Invalidate => survivors.left(patience).await,
            // The older value stays on purpose, until it has been loaded anew.
            JobKind::Soften | JobKind::Refresh => Vec::new(),
        };
        let mut job = running.draft();
        job.state = state;
        job.l1_left = left.iter().map(|node| node.entries).sum();
        errors.extend(left.iter().filter(|node| node.entries > 0).map(still_there));
        errors.truncate(Job::MAX_ERRORS);
        (job.l1_left_on, job.errors) = (left, errors);
        match effect {
            Some(Effect::Removed { entries }) => job.l2_removed = job.l2_removed.max(entries),
            Some(Effect::Off) => job.l2_configured = false,
            Some(Effect::Marked | Effect::Queued) | None => {}
        }
        job
    }

    /// Removes through the first node that answers, which tells the others by the bus, and
    /// through each node that was not told. `None` where no node could be reached.
    async fn remove(
        &self,
        holders: &[Holder],
        running: &Running,
        errors: &mut Vec<JobError>,
    ) -> Option<Effect> {
        let mut sum = None;
        for holder in holders {
            // Without L2 there is nobody to tell the others.
            let told = holder.hears && matches!(sum, Some(Effect::Removed { .. }));
            if told || (sum.is_some() && running.is_cancelled()) {
                continue;
            }
            match self.remove_on(holder.node.as_ref(), &running.progress).await {
                Ok(effect) => {
                    if effect == Effect::Queued {
                        errors.push(JobError { node: node_id(holder), what: WAITS.to_owned() });
                    }
                    sum = Some(sum.map_or(effect, |sum| both(sum, effect)));
                }
                Err(error) => {
                    let what = format!("Strata failed to {error}.");
                    errors.push(JobError { node: node_id(holder), what });
                }
            }
        }
        sum
    }

    async fn remove_on(
        &self,
        node: &dyn NodeFace,
        progress: &Arc<Progress>,
    ) -> Result<Effect, ConsoleError> {
        match &self.target {
            Target::Key(key) => match self.kind {
                JobKind::Invalidate => node.invalidate(&self.cache, key).await,
                JobKind::Soften | JobKind::Refresh => node.soften(&self.cache, key).await,
            },
            Target::Pattern(pattern) => {
                node.invalidate_pattern(&self.cache, pattern, Arc::clone(progress)).await
            }
        }
    }

    /// What L1 of each node holds of it.
    pub(crate) async fn count_l1(
        &self,
        holders: &[Holder],
    ) -> Result<Vec<NodeCount>, ConsoleError> {
        let mut counts = Vec::new();
        for Holder { node, .. } in holders {
            let entries = match &self.target {
                Target::Key(key) => {
                    let entry = node.look_l1(&self.cache, key).await;
                    entry.map(|entry| u64::from(entry.is_some_and(|entry| entry.fresh)))
                }
                Target::Pattern(pattern) => {
                    let matched = node.match_l1(&self.cache, pattern, 0).await;
                    matched.map(|matched| matched.n_keys)
                }
            };
            // One node that is gone must not keep the others from forgetting.
            if matches!(entries, Err(ConsoleError::NodeGone(_))) {
                continue;
            }
            counts.push(NodeCount { node: node.id().to_owned(), entries: entries? });
        }
        Ok(counts)
    }

    fn scope(&self) -> Scope {
        match self.target {
            Target::Key(_) => Scope::Key,
            Target::Pattern(_) => Scope::Pattern,
        }
    }

    pub(crate) fn action(&self) -> &'static str {
        action(self.kind, self.scope())
    }

    fn text(&self) -> &str {
        match &self.target {
            Target::Key(key) => key,
            Target::Pattern(pattern) => pattern.as_str(),
        }
    }
}

/// What the audit trail calls such a job.
pub(crate) const fn action(kind: JobKind, scope: Scope) -> &'static str {
    match (kind, scope) {
        (JobKind::Soften, _) => "soften_key",
        (JobKind::Refresh, _) => "refresh_key",
        (JobKind::Invalidate, Scope::Key) => "invalidate_key",
        (JobKind::Invalidate, _) => "invalidate_pattern",
    }
}

fn node_id(holder: &Holder) -> String {
    holder.node.id().to_owned()
}

fn still_there(node: &NodeCount) -> JobError {
    let what = format!("{} did not leave L1 in time.", entries(node.entries));
    JobError { node: node.node.clone(), what }
}

fn both(first: Effect, second: Effect) -> Effect {
    match (first, second) {
        (Effect::Queued, _) | (_, Effect::Queued) => Effect::Queued,
        (Effect::Removed { entries: a }, Effect::Removed { entries: b }) => {
            Effect::Removed { entries: a + b }
        }
        (Effect::Marked, _) | (_, Effect::Marked) => Effect::Marked,
        (Effect::Off, effect) | (effect, Effect::Off) => effect,
    }
}

/// How a job ended, for the audit trail.
fn result(job: &Job) -> String {
    let l1: u64 = job.l1.iter().map(|node| node.entries).sum();
    let l1 = entries(l1.saturating_sub(job.l1_left));
    let l2 = if job.l2_configured {
        format!("{} from L2", entries(job.l2_removed))
    } else {
        "L2 is off".to_owned()
    };
    let how = match job.state {
        JobState::Running | JobState::Done => "Done",
        JobState::Cancelled => "Cancelled",
        JobState::Queued => "Queued until Redis is back",
        JobState::Failed => "Failed because no node could be reached",
    };
    let left = match job.l1_left {
        0 => String::new(),
        n => format!(", {} left in L1", entries(n)),
    };
    if job.kind != JobKind::Invalidate && job.state == JobState::Done {
        return "Done: the older value is served until the new one is loaded.".to_owned();
    }
    format!("{how}: {l1} from L1, {l2}{left}.")
}
