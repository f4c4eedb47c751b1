use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_cache::{Pattern, Target};
use strata_report::{Job, NodeCount, Plan, Reload, visible};
use tokio::time::Instant;

use super::protected::Protected;
use super::task::InvalidationTask;
use crate::access::{Actor, AuditedAction, Peer};
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::keys::QueryQueues;
use crate::nodes::{CacheNode, first_with_l2, gather, l1_query};

const N_SAMPLES: usize = 10;
/// The most plans that are kept, in all and of each peer.
const KEPT: usize = 200;
const KEPT_OF_PEER: usize = 20;

/// A plan that is older is not run.
const FRESH_FOR: Duration = Duration::from_secs(120);

/// A run whose count differs from the plan's by more than this, and by more than a fifth, is not
/// what was planned.
const FAR_OFF: u64 = 50;

/// The newest plans. A peer that makes many loses its own oldest ones first, and anonymous peers lose
/// theirs before known people do.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    newest_last: Mutex<VecDeque<Arc<StoredPlan>>>,
}

#[derive(Debug)]
struct StoredPlan {
    plan: Plan,
    peer: Peer,
    of_anonymous: bool,
    pattern: Pattern,
    until: Instant,
    /// The job that it was run as. Held while it begins, so that it begins once.
    job: tokio::sync::Mutex<Option<u64>>,
}

impl Plans {
    fn keep(&self, planned: StoredPlan) {
        let mut plans = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_back(Arc::new(planned));
        if let Some(plan_to_evict) = plan_to_evict(&plans) {
            plans.remove(plan_to_evict);
        }
    }

    fn get(&self, id: &str) -> Option<Arc<StoredPlan>> {
        let plans = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().find(|planned| planned.plan.id == id).cloned()
    }
}

/// The plan that has to go, if the newest is one too many: the oldest of its peer, or else of the
/// peer that has the most, among anonymous peers if they have any.
fn plan_to_evict(plans: &VecDeque<Arc<StoredPlan>>) -> Option<usize> {
    let newest = plans.back()?;
    let n_of = |peer: &Peer| plans.iter().filter(|each| each.peer == *peer).count();
    let oldest_of = |peer: &Peer| plans.iter().position(|each| each.peer == *peer);
    if n_of(&newest.peer) > KEPT_OF_PEER {
        return oldest_of(&newest.peer);
    }
    if plans.len() <= KEPT {
        return None;
    }
    let has_anonymous = plans.iter().any(|each| each.of_anonymous);
    // Of several that have as many, the last one is taken: whose plan is the oldest.
    let may_go = plans.iter().rev().filter(|each| each.of_anonymous || !has_anonymous);
    oldest_of(&may_go.max_by_key(|each| n_of(&each.peer))?.peer)
}

impl Console {
    /// What invalidating a pattern would remove. Changes nothing; [`Console::run_plan`] does it.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::BadPattern`], [`ConsoleError::NodeGone`],
    /// [`ConsoleError::Busy`], [`ConsoleError::TooSlow`].
    pub async fn plan(
        &self,
        actor: &Actor,
        cache: &str,
        pattern: &str,
    ) -> Result<Plan, ConsoleError> {
        let (console, cache, pattern) = (self.clone(), cache.to_owned(), pattern.to_owned());
        let planner = actor.clone();
        let planning = async move { console.plan_for(&planner, &cache, &pattern).await };
        self.inner.queries.run(actor, planning).await
    }

    async fn plan_for(
        &self,
        actor: &Actor,
        cache: &str,
        pattern: &str,
    ) -> Result<Plan, ConsoleError> {
        let nodes = self.nodes_with(cache)?;
        let pattern = Pattern::parse(pattern)?;
        let until = Instant::now() + FRESH_FOR;
        let mut counted = count(&nodes, cache, &pattern).await?;
        if counted.l2_at_least {
            counted.l2_keys = self.redis_server().await.map(|server| server.keys);
        }
        let at_ms = now_ms();
        let mut plan = Plan {
            id: format!("{:016x}", RandomState::new().hash_one(at_ms)),
            expires_at_ms: at_ms + u64::try_from(FRESH_FOR.as_millis()).unwrap_or(0),
            protected: self.protection(cache, &Target::Pattern(pattern.clone())),
            at_ms,
            ..counted
        };
        let is_large = plan.l2_at_least || plan.entries() > Plan::TYPE_AGAIN_ABOVE;
        plan.type_again = pattern.matches_all() || is_large;
        plan.reload = self.reload(cache, plan.keys_at_least());
        self.inner.plans.keep(StoredPlan {
            plan: plan.clone(),
            peer: actor.peer(),
            of_anonymous: actor.is_anonymous(),
            pattern,
            until,
            job: tokio::sync::Mutex::default(),
        });
        Ok(plan)
    }

    /// Begins to do what was planned, and returns at once. `typed` is the pattern as whoever runs
    /// it typed it again, where the plan asks for that. A plan is run once; again, it answers the
    /// same job.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::UnknownPlan`], [`ConsoleError::Protected`],
    /// [`ConsoleError::NotConfirmed`], [`ConsoleError::StalePlan`], [`ConsoleError::NodeGone`],
    /// [`ConsoleError::Busy`].
    pub async fn run_plan(
        &self,
        actor: &Actor,
        id: &str,
        typed: Option<&str>,
    ) -> Result<Job, ConsoleError> {
        let planned = self.inner.plans.get(id);
        let (cache, target) = match &planned {
            Some(planned) => (planned.plan.cache.as_str(), planned.plan.pattern.as_str()),
            None => ("", id),
        };
        let audited = AuditedAction::new("invalidate_pattern", cache, target);
        self.authorise_action(actor, audited)?;
        let planned = planned.clone().ok_or_else(|| ConsoleError::unknown_plan(id))?;
        let mut begun = planned.job.lock().await;
        if let Some(job) = *begun {
            return self.job(job);
        }
        let task = InvalidationTask::new(actor, cache, Target::Pattern(planned.pattern.clone()));
        self.check_protection(actor, audited, &task.target)?;
        // A field of a form holds no line break, so what is written out counts as typed too.
        let is_typed = typed.is_some_and(|typed| typed == target || typed == visible(target));
        if planned.plan.type_again && !is_typed {
            return Err(ConsoleError::NotConfirmed);
        }
        let nodes = self.nodes_with(cache)?;
        self.check_plan_is_current(&planned, &nodes).await?;
        let job = self.begin(task.planned(planned.plan.clone()), nodes).await?.now();
        *begun = Some(job.id);
        Ok(job)
    }

    async fn check_plan_is_current(
        &self,
        planned: &StoredPlan,
        nodes: &[CacheNode],
    ) -> Result<(), ConsoleError> {
        if Instant::now() >= planned.until {
            return Err(ConsoleError::StalePlan(
                "it was made more than two minutes ago".to_owned(),
            ));
        }
        let now = count(nodes, &planned.plan.cache, &planned.pattern).await?;
        stale(&planned.plan, &now).map_or(Ok(()), |why| Err(ConsoleError::StalePlan(why)))
    }

    /// What so many keys would cost the source again, by the loads so far.
    fn reload(&self, cache: &str, n_keys: u64) -> Option<Reload> {
        let loads = self.cache(cache).ok()?.report.loads.success;
        let ms = |q| Some((n_keys as f64 * loads.quantile_ns(q)? as f64 / 1e6) as u64);
        Some(Reload { low_ms: ms(0.25)?, high_ms: ms(0.75)? })
    }

    pub(crate) fn protection(&self, cache: &str, target: &Target) -> Option<String> {
        Protected::refusal(&self.inner.protected, cache, target)
    }

    /// Refuses, and writes down, what is about protected keys.
    pub(crate) fn check_protection(
        &self,
        actor: &Actor,
        audited: AuditedAction<'_>,
        target: &Target,
    ) -> Result<(), ConsoleError> {
        match self.protection(audited.cache, target) {
            Some(why) => {
                self.inner.audit.refuse(actor, audited, &why);
                Err(ConsoleError::Protected(why))
            }
            None => Ok(()),
        }
    }
}

// Why a plan no longer says what its run would do. A level that could not be counted is not an
// empty one.
fn stale(plan: &Plan, now: &Plan) -> Option<String> {
    match (plan.l2, now.l2) {
        (Some(_), None) => Some("Redis was counted then, and does not answer now".to_owned()),
        (None, Some(_)) => Some("Redis did not answer then, and does now".to_owned()),
        _ => {
            // How far two counts of Redis came says nothing of how much there is.
            let in_l1_alone = plan.l2_at_least || now.l2_at_least;
            let of = |plan: &Plan| plan.entries() - plan.l2.filter(|_| in_l1_alone).unwrap_or(0);
            let (before, now) = (of(plan), of(now));
            let far_off = now.abs_diff(before) > FAR_OFF.max(before / 5);
            far_off.then(|| format!("it counted {before} entries, and now there are {now}"))
        }
    }
}

/// What matches on every level and node; the plan's counts and samples.
async fn count(nodes: &[CacheNode], cache: &str, pattern: &Pattern) -> Result<Plan, ConsoleError> {
    let (mut samples, deadline) = (BTreeSet::new(), QueryQueues::deadline());
    let mut l1 = Vec::new();
    let counting = gather(nodes, |node| async move {
        let matching = node.match_l1(l1_query(cache, pattern, N_SAMPLES));
        deadline.walk(cache, matching).await
    });
    let gathered = counting.await?;
    let mut partial = gathered.partial();
    for (node, matched) in gathered.answers {
        if matched.is_partial && partial.is_none() {
            partial = Some(format!("Node {} had no time to count all its keys.", node.id()));
        }
        samples.extend(matched.samples);
        l1.push(NodeCount { node: node.id().to_owned(), entries: matched.n_keys });
    }
    let l2 = match first_with_l2(nodes) {
        Some(node) => node.shared().match_l2(cache, pattern, N_SAMPLES).await?,
        None => None,
    };
    let l2_keys = l2.as_ref().map(|matched| matched.n_keys);
    let l2_at_least = l2.as_ref().is_some_and(|matched| matched.is_partial);
    let l2_scanned = l2.as_ref().filter(|_| l2_at_least).map(|matched| matched.n_scanned);
    samples.extend(l2.into_iter().flat_map(|matched| matched.samples));
    Ok(Plan {
        cache: cache.to_owned(),
        pattern: pattern.as_str().to_owned(),
        l1,
        l2: l2_keys,
        l2_at_least,
        l2_scanned,
        partial,
        samples: samples.into_iter().take(N_SAMPLES).collect(),
        ..Plan::default()
    })
}
