use std::sync::Arc;
use std::time::Duration;

use strata_cache::Target;
use strata_report::{
    EntryLook, Job, JobError, JobKind, JobState, L2Look, NodePresence, RefreshState, Refreshed,
};
use tokio::time::{Instant, sleep};

use super::jobs::RunningJob;
use super::task::InvalidationTask;
use crate::access::{Actor, AuditedAction};
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::keys::SourceReader;
use crate::nodes::{CacheNode, NodeClient, check_key, first_with_l2, gather};

/// How long the new value may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);

impl Console {
    /// Loads a key anew from its source now: marks it as stale everywhere and reads it once, as
    /// the service does, so that nobody waits who reads meanwhile. Counts as one read. Goes on to
    /// its end even when the caller goes away.
    ///
    /// # Errors
    /// As [`Console::mark_key_stale`], and [`ConsoleError::NoSource`], [`ConsoleError::SourceFailed`].
    pub async fn refresh_key(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<Job, ConsoleError> {
        let task = InvalidationTask::new(actor, cache, Target::Key(key.to_owned()))
            .of_kind(JobKind::Refresh);
        let audited = AuditedAction::new(task.action(), cache, key);
        self.authorise_action(actor, audited)?;
        let nodes = self.nodes_with(cache)?;
        check_key(cache, key)?;
        self.check_protection(actor, audited, &task.target)?;
        let loader = self.loader(cache, &nodes)?;
        let l1 = task.count_l1(&nodes).await?;
        let running = self.inner.jobs.begin(task.job(&nodes, l1), &task.owner);
        let tracked = running.tracked();
        let task = Arc::new(task);
        let refresh = Refresh { task: Arc::clone(&task), nodes, loader, key: key.to_owned() };
        match task.spawn(self, refresh.run(self.clone(), running)).await {
            Ok(Some(read)) => read.map(|()| tracked.now()),
            // Its task broke off, and the job says so.
            Ok(None) | Err(_) => Ok(tracked.now()),
        }
    }
}

/// Who loads a key anew.
enum Loader {
    /// The console, by the source that it knows.
    Source(Arc<dyn SourceReader>),
    /// A node elsewhere, by what its service has said: the first of these that answers.
    Nodes(Vec<Arc<dyn NodeClient>>),
}

/// So many nodes are asked to load a key, where those before are silent or refuse.
const MAX_LOADERS: usize = 3;

impl Loader {
    async fn load(&self, (cache, key): (&str, &str)) -> Result<(), ConsoleError> {
        match self {
            Self::Source(source) => source.read(cache, key).await,
            Self::Nodes(nodes) => {
                let mut last = ConsoleError::NoSource(cache.to_owned());
                for node in nodes {
                    match node.refresh(cache, key).await {
                        Err(error) if error.is_of_the_node() => last = error,
                        loaded => return loaded,
                    }
                }
                Err(last)
            }
        }
    }
}

impl Console {
    /// Why a key of the cache cannot be loaded anew, as a sentence; `None` where it can.
    pub(crate) fn why_no_refresh(&self, cache: &str, nodes: &[CacheNode]) -> Option<String> {
        self.loader(cache, nodes).err()?;
        let is_elsewhere = nodes.iter().any(|held| held.node.presence().is_some());
        let because = match is_elsewhere {
            true => {
                "No node of this cache lets dashboards load keys: Fleet::refreshes() in the \
                 service allows it, with a STRATA_FLEET_KEY."
            }
            false => "Nothing here can ask the source of this cache.",
        };
        Some(because.to_owned())
    }

    /// A node elsewhere only where it lets consoles load.
    fn loader(&self, cache: &str, nodes: &[CacheNode]) -> Result<Loader, ConsoleError> {
        if let Some(source) = self.source(cache) {
            return Ok(Loader::Source(Arc::clone(source)));
        }
        let loads = |held: &&CacheNode| {
            let loads = |at: &NodePresence| at.state.counts() && at.policy.refreshes;
            held.node.presence().is_some_and(loads)
        };
        let loading = nodes.iter().filter(loads).take(MAX_LOADERS);
        let loading: Vec<_> = loading.map(|held| Arc::clone(&held.node)).collect();
        match loading.is_empty() {
            true => Err(ConsoleError::NoSource(cache.to_owned())),
            false => Ok(Loader::Nodes(loading)),
        }
    }
}

/// A key on its way to a newer value.
struct Refresh {
    task: Arc<InvalidationTask>,
    nodes: Vec<CacheNode>,
    loader: Loader,
    key: String,
}

impl Refresh {
    async fn run(self, console: Console, running: RunningJob) -> Result<(), ConsoleError> {
        let since_ms = now_ms();
        let mut job = self.task.carry_out(&console, (&self.nodes, &running)).await;
        let key = (self.task.cache.as_str(), self.key.as_str());
        let read = self.loader.load(key).await;
        let result = match &read {
            Ok(()) => match arrival(&self.nodes, key, since_ms).await {
                Arrival::Missed => {
                    failed(&mut job, "The value was asked for and had not arrived after 5 s.")
                }
                Arrival::Seen | Arrival::Unseen => {
                    job.refreshed = self.settle(since_ms).await;
                    with_proof(told(job.state, &job.refreshed), &job)
                }
            },
            Err(error) => failed(&mut job, &format!("Strata failed to {error}.")),
        };
        self.task.end(&console, job, result, running);
        read
    }

    /// Removes older copies now that the new value is there, so that no node serves them once
    /// more; says what each place holds.
    async fn settle(&self, since_ms: u64) -> Vec<Refreshed> {
        let (cache, key) = (self.task.cache.as_str(), self.key.as_str());
        // Nodes elsewhere may have been asked together, before their turn.
        let all_asked_at_ms = now_ms();
        let looking = gather(&self.nodes, |node| async move {
            let is_here = node.presence().is_none();
            let asked_at_ms = if is_here { now_ms() } else { all_asked_at_ms };
            Ok(match node.look_l1(cache, key).await {
                Ok(None) => RefreshState::Absent,
                Ok(Some(entry)) if is_new(&entry, asked_at_ms, since_ms) => RefreshState::Loaded,
                Ok(Some(_)) => match node.drop_from_l1(cache, key).await {
                    Ok(_) => RefreshState::Removed,
                    Err(_) => RefreshState::Older,
                },
                Err(_) => RefreshState::Unknown,
            })
        });
        // No answer is a state as well, so that there is one of each node.
        let states = looking.await.map(|gathered| gathered.answers).unwrap_or_default();
        let of_node = |(node, state): (Arc<dyn NodeClient>, RefreshState)| Refreshed {
            node: node.id().to_owned(),
            state,
        };
        let mut refreshed: Vec<_> = states.into_iter().map(of_node).collect();
        if let Some(node) = first_with_l2(&self.nodes) {
            let asked_at_ms = now_ms();
            let state = match node.look_l2(cache, &self.key).await {
                Ok(Some(L2Look::Entry(entry))) if is_new(&entry, asked_at_ms, since_ms) => {
                    RefreshState::Loaded
                }
                Ok(Some(L2Look::Entry(_))) => RefreshState::Older,
                Ok(Some(L2Look::Absent | L2Look::Leased | L2Look::Unreadable)) => {
                    RefreshState::Absent
                }
                Ok(None) | Err(_) => RefreshState::Unknown,
            };
            refreshed.push(Refreshed { node: String::new(), state });
        }
        refreshed
    }
}

/// What came of it, as the marking ended: only one that was carried out is done.
fn told(state: JobState, refreshed: &[Refreshed]) -> String {
    let on = |state| {
        refreshed.iter().filter(|place| !place.node.is_empty() && place.state == state).count()
    };
    let marked = match state {
        JobState::Done => "Done",
        JobState::Queued => "Queued: other nodes hear of it when Redis takes it",
        JobState::Cancelled => "Cancelled",
        JobState::Failed => "Failed: other nodes have not heard of it",
        JobState::Running | JobState::Unknown => "Unknown whether other nodes have heard of it",
    };
    let separator = if marked.contains(' ') { ';' } else { ':' };
    let (loaded, unknown) = (on(RefreshState::Loaded), on(RefreshState::Unknown));
    let mut text = match (state, loaded, unknown) {
        (JobState::Done, 0, 1..) => {
            "Loaded; which nodes have the new value is not known".to_owned()
        }
        _ => format!("{marked}{separator} loaded anew on {}", nodes(loaded)),
    };
    for (state, what) in [
        (RefreshState::Removed, "older copy removed on"),
        (RefreshState::Older, "older copy left on"),
        (RefreshState::Unknown, "no answer from"),
    ] {
        if on(state) > 0 {
            text.push_str(&format!(", {what} {}", nodes(on(state))));
        }
    }
    text.push('.');
    text
}

/// With which nodes have heard that the older value is stale, where that is known.
fn with_proof(told: String, job: &Job) -> String {
    match &job.heard {
        Some(heard) => format!("{}; {}.", told.trim_end_matches('.'), heard.in_words()),
        None => told,
    }
}

fn nodes(n: usize) -> String {
    format!("{n} node{}", if n == 1 { "" } else { "s" })
}

fn failed(job: &mut Job, what: &str) -> String {
    job.state = JobState::Failed;
    job.errors.push(JobError { node: String::new(), what: what.to_owned() });
    format!("Failed: {what}")
}

/// What is known of a value that was asked for.
enum Arrival {
    /// Some node has it.
    Seen,
    /// No node that can be looked into has it.
    Missed,
    /// No node can be looked into.
    Unseen,
}

/// Looks for a value that was loaded since.
async fn arrival(nodes: &[CacheNode], (cache, key): (&str, &str), since_ms: u64) -> Arrival {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let asked_at_ms = now_ms();
        let looking = gather(nodes, |node| async move { node.look_l1(cache, key).await });
        let copies = looking.await.map(|gathered| gathered.answers).unwrap_or_default();
        let has_it = |entry: &EntryLook| is_new(entry, asked_at_ms, since_ms);
        if copies.iter().any(|(_, entry)| entry.as_ref().is_some_and(has_it)) {
            return Arrival::Seen;
        }
        match (copies.is_empty(), Instant::now() >= deadline) {
            (true, _) => return Arrival::Unseen,
            (false, true) => return Arrival::Missed,
            (false, false) => sleep(POLL).await,
        }
    }
}

/// Whether an entry was loaded since; it was looked at no earlier than `asked_at_ms`.
fn is_new(entry: &EntryLook, asked_at_ms: u64, since_ms: u64) -> bool {
    entry.fresh && asked_at_ms.saturating_sub(entry.age_ms) >= since_ms.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refresh_whose_marking_was_carried_out_is_told_as_done() {
        let state = RefreshState::Loaded;
        let refreshed = [Refreshed { node: "pod-7".to_owned(), state }];
        assert_eq!(told(JobState::Done, &refreshed), "Done: loaded anew on 1 node.");
        let unknown = [Refreshed { node: "pod-7".to_owned(), state: RefreshState::Unknown }];
        assert_eq!(
            told(JobState::Done, &unknown),
            "Loaded; which nodes have the new value is not known, no answer from 1 node."
        );
        for (state, begins) in [
            (JobState::Queued, "Queued: "),
            (JobState::Failed, "Failed: "),
            (JobState::Cancelled, "Cancelled: "),
        ] {
            let said = told(state, &refreshed);
            assert!(said.starts_with(begins) && said.ends_with("loaded anew on 1 node."), "{said}");
        }
    }
}
