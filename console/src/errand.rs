use std::sync::Arc;
use std::time::Duration;

use strata_cache::Progress;
use strata_report::{Effect, Job, JobState, NodeCount, Scope};

use crate::audit::{Deed, entries};
use crate::clock::now_ms;
use crate::jobs::Running;
use crate::keys::Holder;
use crate::survivors::{Survivors, Target};
use crate::{Actor, Console, ConsoleError, NodeFace};

/// How long other nodes may take to hear of an invalidation before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(1);

/// An invalidation on its way.
pub(crate) struct Errand {
    actor: Actor,
    cache: String,
    target: Target,
}

impl Errand {
    pub(crate) fn new(actor: &Actor, cache: &str, target: Target) -> Self {
        Self { actor: actor.clone(), cache: cache.to_owned(), target }
    }

    /// The job of this errand before it begins.
    pub(crate) fn job(&self, holders: &[Holder], l1: Vec<NodeCount>) -> Job {
        Job {
            id: 0,
            cache: self.cache.clone(),
            scope: self.scope(),
            target: self.text().to_owned(),
            actor: self.actor.name.clone(),
            state: JobState::Running,
            l1,
            l1_left: 0,
            l2_scanned: 0,
            l2_removed: 0,
            l2_configured: holders.iter().any(|holder| holder.has_l2),
            started_at_ms: now_ms(),
            ended_at_ms: None,
        }
    }

    /// Does it, and writes down how it ended.
    pub(crate) async fn run(self, console: Console, holders: Vec<Holder>, running: Running) {
        let since_ms = now_ms();
        let effect = self.remove(&holders, &running).await;
        let state = match effect {
            Some(Effect::Queued) => JobState::Queued,
            Some(_) if running.is_cancelled() => JobState::Cancelled,
            Some(_) => JobState::Done,
            None => JobState::Failed,
        };
        let survivors =
            Survivors { cache: &self.cache, target: &self.target, holders: &holders, since_ms };
        let patience = if state == JobState::Done { PATIENCE } else { Duration::ZERO };
        let l1_left = survivors.left(patience).await;
        let mut job = running.draft();
        job.state = state;
        job.l1_left = l1_left;
        match effect {
            Some(Effect::Removed { entries }) => job.l2_removed = job.l2_removed.max(entries),
            Some(Effect::Off) => job.l2_configured = false,
            Some(Effect::Marked | Effect::Queued) | None => {}
        }
        let deed = Deed { action: self.action(), cache: &job.cache, target: &job.target };
        // Audited first: whoever waits for the end finds it in the trail.
        console.inner.audit.record(&self.actor, deed, result(&job));
        running.end(job);
    }

    /// Removes through the first node that answers, which tells the others by the bus, and
    /// through each node that was not told. `None` where no node could be reached.
    async fn remove(&self, holders: &[Holder], running: &Running) -> Option<Effect> {
        let mut sum = None;
        for holder in holders {
            // Without L2 there is nobody to tell the others.
            let told = holder.hears && matches!(sum, Some(Effect::Removed { .. }));
            if told || (sum.is_some() && running.is_cancelled()) {
                continue;
            }
            match self.remove_on(holder.node.as_ref(), &running.progress).await {
                Ok(effect) => sum = Some(sum.map_or(effect, |sum| both(sum, effect))),
                Err(error) => tracing::warn!(%error, "failed to invalidate on a node"),
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
            Target::Key(key) => node.invalidate(&self.cache, key).await,
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

    fn action(&self) -> &'static str {
        match self.target {
            Target::Key(_) => "invalidate_key",
            Target::Pattern(_) => "invalidate_pattern",
        }
    }

    fn text(&self) -> &str {
        match &self.target {
            Target::Key(key) => key,
            Target::Pattern(pattern) => pattern.as_str(),
        }
    }
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
    format!("{how}: {l1} from L1, {l2}{left}.")
}
