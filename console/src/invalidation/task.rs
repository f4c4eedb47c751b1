use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Pattern, Progress, Target};
use strata_report::{Effect, Job, JobError, JobKind, JobState, NodeCount, Plan, Scope};
use tokio::task::JoinHandle;

use super::jobs::{BROKE_OFF, RunningJob};
use super::verification::Verification;
use crate::access::{Actor, AuditedAction, JobOwner, Peer, count_of_entries};
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, NodeClient, gather, l1_query, on_behalf_of};

/// How long other nodes may take to hear of an invalidation before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(1);

/// The error of a node on which an invalidation waits for Redis.
pub(crate) const WAITS: &str = "Redis could not be reached; the invalidation waits for it.";

/// One invalidation, from its authorisation to its entry in the audit trail.
pub(crate) struct InvalidationTask {
    pub(crate) owner: Arc<JobOwner>,
    pub(crate) cache: String,
    pub(crate) target: Target,
    plan: Option<Plan>,
    kind: JobKind,
}

impl InvalidationTask {
    pub(crate) fn new(actor: &Actor, cache: &str, target: Target) -> Self {
        let (owner, cache) = (JobOwner::new(actor), cache.to_owned());
        Self { owner, cache, target, plan: None, kind: JobKind::Invalidate }
    }

    /// Runs it from a plan.
    pub(crate) fn planned(self, plan: Plan) -> Self {
        Self { plan: Some(plan), ..self }
    }

    /// Makes it another kind of job.
    pub(crate) fn of_kind(self, kind: JobKind) -> Self {
        Self { kind, ..self }
    }

    /// Who began it.
    pub(crate) fn peer(&self) -> Peer {
        self.owner.actor().peer()
    }

    /// The job that shows this task, before it begins.
    pub(crate) fn job(&self, nodes: &[CacheNode], l1: Vec<NodeCount>) -> Job {
        Job {
            id: 0,
            cache: self.cache.clone(),
            scope: self.target.scope(),
            target: self.target.text().to_owned(),
            actor: self.owner.actor().name.clone(),
            state: JobState::Running,
            l1,
            l1_left: 0,
            l2_scanned: 0,
            l2_removed: 0,
            l2_configured: nodes.iter().any(|cache_node| cache_node.has_l2),
            started_at_ms: now_ms(),
            ended_at_ms: None,
            kind: self.kind,
            plan: self.plan.clone(),
            ..Job::default()
        }
    }

    /// Runs the work in a tokio task of its own, so that it ends and is audited even when the caller
    /// goes away. If it panics, the trail says so and the answer is `None`.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        console: &Console,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let (console, owner, action) = (console.clone(), Arc::clone(&self.owner), self.action());
        let (cache, target) = (self.cache.clone(), self.target.text().to_owned());
        let began_at_ms = Some(now_ms());
        let work = on_behalf_of(&self.owner.actor().name, work);
        tokio::spawn(async move {
            let done = tokio::spawn(work).await.ok();
            if done.is_none() {
                let audited =
                    AuditedAction { began_at_ms, ..AuditedAction::new(action, &cache, &target) };
                owner.record_end(&console, audited, format!("Failed: {BROKE_OFF}"));
            }
            done
        })
    }

    /// Records in the audit trail that it begins, if it may take long.
    pub(crate) fn record_beginning(&self, console: &Console) {
        if self.is_walk() {
            let what = match &self.plan {
                Some(plan) => format!("a plan of {} is run.", count_of_entries(plan.entries())),
                None => "every key that matches is removed.".to_owned(),
            };
            let audited = AuditedAction::new(self.action(), &self.cache, self.target.text());
            console.inner.audit.begin(self.owner.actor(), audited, &what);
        }
    }

    /// Runs it to its end, and records how it ended.
    pub(crate) async fn run(
        self: Arc<Self>,
        console: Console,
        nodes: Vec<CacheNode>,
        running: RunningJob,
    ) {
        let job = self.carry_out(&console, (&nodes, &running)).await;
        let result = result(&job);
        self.end(&console, job, result, running);
    }

    /// Records how it ended, in the audit trail and in the job.
    pub(crate) fn end(&self, console: &Console, job: Job, result: String, running: RunningJob) {
        let audited = AuditedAction {
            began_at_ms: Some(job.started_at_ms),
            ..AuditedAction::new(self.action(), &job.cache, &job.target)
        };
        // Audited first: whoever waits for the end finds it in the trail.
        self.owner.record_end(console, audited, result);
        running.end(job);
    }

    /// Runs it. Returns the job as it then stands, which is not recorded yet.
    pub(crate) async fn carry_out(
        &self,
        console: &Console,
        (nodes, running): (&[CacheNode], &RunningJob),
    ) -> Job {
        let since_ms = now_ms();
        let mut errors = Vec::new();
        let effect = self.remove(nodes, running, &mut errors).await;
        let state = match effect {
            Some(Effect::Queued) => JobState::Queued,
            Some(_) if running.is_cancelled() => JobState::Cancelled,
            Some(_) => JobState::Done,
            None => JobState::Failed,
        };
        let verification =
            Verification { cache: &self.cache, target: &self.target, nodes, since_ms };
        let patience = if state == JobState::Done { PATIENCE } else { Duration::ZERO };
        let left = match self.kind {
            JobKind::Invalidate => verification.left(patience).await,
            // The older value stays on purpose, until it has been loaded anew.
            JobKind::MarkStale | JobKind::Refresh => Vec::new(),
        };
        let mut job = running.draft();
        if state == JobState::Done {
            job.heard = console.heard_by(nodes).await;
            let not_by = job.heard.iter().flat_map(|heard| &heard.not_by);
            errors.extend(not_by.map(|node| not_heard(node)));
        }
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

    /// Removes through the first node that answers, which publishes it on the bus, and through
    /// each node that does not hear the bus. `None` if no node could be reached.
    async fn remove(
        &self,
        nodes: &[CacheNode],
        running: &RunningJob,
        errors: &mut Vec<JobError>,
    ) -> Option<Effect> {
        let mut sum = None;
        let mut sent_by: Vec<&str> = Vec::new();
        for cache_node in nodes {
            // Nodes elsewhere hear of it by the bus alone, to which all have one way.
            let by = cache_node.node.shared_by();
            if sent_by.contains(&by) {
                continue;
            }
            sent_by.push(by);
            // Without L2 nothing is published on the bus.
            let told = cache_node.hears && matches!(sum, Some(Effect::Removed { .. }));
            if told || (sum.is_some() && running.is_cancelled()) {
                continue;
            }
            match self.remove_on(cache_node.node.as_ref(), &running.progress).await {
                Ok(effect) => {
                    if effect == Effect::Queued {
                        let waits_on = cache_node.node.shared_by().to_owned();
                        errors.push(JobError { node: waits_on, what: WAITS.to_owned() });
                    }
                    sum = Some(sum.map_or(effect, |sum| both(sum, effect)));
                }
                Err(error) => {
                    let what = format!("Strata failed to {error}.");
                    errors.push(JobError { node: node_id(cache_node), what });
                }
            }
        }
        sum
    }

    async fn remove_on(
        &self,
        node: &dyn NodeClient,
        progress: &Arc<Progress>,
    ) -> Result<Effect, ConsoleError> {
        let shared = node.shared();
        match (&self.target, self.kind) {
            (Target::Key(key), JobKind::MarkStale | JobKind::Refresh) => {
                shared.mark_stale(&self.cache, key).await
            }
            // Many keys are removed in any case: none can be loaded anew by its name.
            (target, _) => shared.invalidate(&self.cache, target, Arc::clone(progress)).await,
        }
    }

    /// How many entries L1 of each node has of it.
    pub(crate) async fn count_l1(
        &self,
        nodes: &[CacheNode],
    ) -> Result<Vec<NodeCount>, ConsoleError> {
        // One node that is gone must not keep the others from forgetting.
        let counting = gather(nodes, |node| async move {
            match (&self.target, walked(&self.target)) {
                (Target::Key(key), _) => {
                    let entry = node.look_l1(&self.cache, key).await?;
                    Ok(u64::from(entry.is_some_and(|entry| entry.fresh)))
                }
                (_, Some(pattern)) => {
                    Ok(node.match_l1(l1_query(&self.cache, &pattern, 0)).await?.n_keys)
                }
                (_, None) => Ok(0),
            }
        });
        let counting = on_behalf_of(&self.owner.actor().name, counting);
        let counts = counting.await?.answers.into_iter();
        Ok(counts
            .map(|(node, entries)| NodeCount { node: node.id().to_owned(), entries })
            .collect())
    }

    /// Whether it walks the cache, which may take long.
    pub(crate) fn is_walk(&self) -> bool {
        walked(&self.target).is_some()
    }

    pub(crate) fn action(&self) -> &'static str {
        action_name(self.kind, self.target.scope())
    }
}

/// The keys that are walked. `None` for one key, and for a tag, whose entries are found out as they
/// are read.
pub(crate) fn walked(target: &Target) -> Option<Pattern> {
    match target {
        Target::Pattern(pattern) => Some(pattern.clone()),
        Target::All => Some(Pattern::prefix("")),
        Target::Key(_) | Target::Tag(_) => None,
    }
}

/// What the audit trail calls such a job.
pub(crate) const fn action_name(kind: JobKind, scope: Scope) -> &'static str {
    match (kind, scope) {
        (JobKind::MarkStale, _) => "soften_key",
        (JobKind::Refresh, _) => "refresh_key",
        (JobKind::Invalidate, Scope::Key) => "invalidate_key",
        (JobKind::Invalidate, _) => "invalidate_pattern",
    }
}

fn node_id(cache_node: &CacheNode) -> String {
    cache_node.node.id().to_owned()
}

fn still_there(node: &NodeCount) -> JobError {
    let what = format!("{} did not leave L1 in time.", count_of_entries(node.entries));
    JobError { node: node.node.clone(), what }
}

fn not_heard(node: &str) -> JobError {
    let what = "It has not reported in time that it heard of it; its L1 may still have entries.";
    JobError { node: node.to_owned(), what: what.to_owned() }
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
    let l1 = count_of_entries(l1.saturating_sub(job.l1_left));
    let l2 = if job.l2_configured {
        format!("{} from L2", count_of_entries(job.l2_removed))
    } else {
        "L2 is off".to_owned()
    };
    let how = match job.state {
        JobState::Running | JobState::Done => "Done",
        JobState::Cancelled => "Cancelled",
        JobState::Queued | JobState::Unknown => "Queued until Redis is back",
        JobState::Failed => "Failed because no node could be reached",
    };
    let left = match job.l1_left {
        0 => String::new(),
        n => format!(", {} left in L1", count_of_entries(n)),
    };
    let heard = job.heard.as_ref().map(|heard| format!("; {}", heard.in_words()));
    let heard = heard.unwrap_or_default();
    if job.kind != JobKind::Invalidate && job.state == JobState::Done {
        return format!("Done: the older value is served until the new one is loaded{heard}.");
    }
    format!("{how}: {l1} from L1, {l2}{left}{heard}.")
}
