use std::sync::Arc;
use std::time::Duration;

use strata_cache::DeadLetterFilter;
use strata_report::{
    DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, DeadLetterRequest,
    NodeReport, WriteBehindKind, WriteBehindReport,
};

use super::pages::listed;
use super::run::DeadLetterRun;
use crate::access::{Actor, AuditedAction, JobOwner};
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::keys::{QueryQueues, visible_value};
use crate::nodes::{NodeClient, merged_write_behinds};

/// How long whoever asks waits for a run to end, which most do; it goes on by itself.
const WAIT: Duration = Duration::from_secs(2);

/// The longest page.
const MAX_PAGE: u32 = 1_000;

/// A node that has a cache's write-behind.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) node: Arc<dyn NodeClient>,
    pub(crate) report: WriteBehindReport,
}

/// As a fragment that fits after "because".
const NOBODY_MOVES: &str = "no node of this cache moves dead letters for dashboards: \
                            Fleet::moves_dead_letters() in the service allows it, with a STRATA_FLEET_KEY";

impl Writer {
    /// Whether it should answer: it is not lost.
    pub(crate) fn counts(&self) -> bool {
        self.node.presence().is_none_or(|presence| presence.state.counts())
    }

    /// Whether it lets consoles queue dead letters again and drop them.
    pub(crate) fn moves(&self) -> bool {
        self.counts() && self.node.presence().is_none_or(|at| at.policy.moves_dead_letters)
    }
}

impl Console {
    /// The write-behind of each cache that has one, its nodes added up; those of attached nodes last.
    pub fn write_behinds(&self) -> Vec<WriteBehindReport> {
        let tick = self.tick();
        let attached = tick.attached.iter().map(|attached| &*attached.report);
        merged_write_behinds(tick.reports.iter().map(|report| &**report).chain(attached))
    }

    /// The write-behind of one cache, its nodes added up; `None` where it has none.
    pub fn write_behind(&self, cache: &str) -> Option<WriteBehindReport> {
        self.write_behinds().into_iter().find(|writes| writes.cache == cache)
    }

    /// One page of the dead letters that match, oldest first; `after` is the `next` of the page
    /// before. In memory node after node. Values and reasons, which are the sink's text and may
    /// quote values, are hidden from who may not see values.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::NoWriteBehind`],
    /// [`ConsoleError::BadPattern`], [`ConsoleError::BadLimit`], [`ConsoleError::EmptyField`],
    /// [`ConsoleError::DeadLettersAway`], [`ConsoleError::NodeGone`], [`ConsoleError::Busy`],
    /// [`ConsoleError::TooSlow`], and [`ConsoleError::Refused`] where who may not see values chooses by the reason.
    pub async fn dead_letters(
        &self,
        actor: &Actor,
        (cache, query): (&str, &DeadLetterQuery),
        (after, limit): (Option<&str>, u32),
    ) -> Result<DeadLetterPage, ConsoleError> {
        check(query)?;
        may_choose(actor, query)?;
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(ConsoleError::BadLimit(MAX_PAGE));
        }
        let writers = self.writers(cache, query)?;
        let (console, actor_of_page) = (self.clone(), actor.clone());
        let (cache, after) = (cache.to_owned(), after.map(str::to_owned));
        let (query, limit) = (query.clone(), limit.into());
        let request = DeadLetterRequest { cache: cache.clone(), query, after, limit };
        let listing = async move {
            let listing = async {
                let mut page = listed(&writers, request).await?;
                console.hide_dead_letters(&actor_of_page, &cache, &mut page).await?;
                Ok(page)
            };
            QueryQueues::deadline().walk(&cache, listing).await
        };
        self.inner.queries.run(actor, listing).await
    }

    /// Hides what who asks may not see.
    async fn hide_dead_letters(
        &self,
        actor: &Actor,
        cache: &str,
        page: &mut DeadLetterPage,
    ) -> Result<(), ConsoleError> {
        let nodes = self.nodes_with(cache)?;
        for row in &mut page.rows {
            if let Some(value) = row.value.take() {
                // A node that is gone cannot say whether the value may be shown.
                row.value = visible_value(actor, &nodes, (cache, value)).await.unwrap_or_default();
            }
            if !actor.rights.values {
                row.reason.clear();
            }
        }
        Ok(())
    }

    /// Queues the dead letters that match again, or forgets them. Waits two seconds for the end;
    /// what takes longer goes on, also where the caller goes away, and can be watched by
    /// [`dead_letter_job`](Self::dead_letter_job). One at a time for each cache.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::UnknownCache`], [`ConsoleError::NoWriteBehind`],
    /// [`ConsoleError::BadPattern`], [`ConsoleError::EmptyField`], [`ConsoleError::NodeNotNamed`],
    /// [`ConsoleError::DeadLettersBusy`].
    pub async fn move_dead_letters(
        &self,
        actor: &Actor,
        action: DeadLetterAction,
        (cache, query): (&str, &DeadLetterQuery),
    ) -> Result<DeadLetterJob, ConsoleError> {
        let target = in_words(query);
        self.authorise_action(actor, AuditedAction::new(audit_name(action), cache, &target))?;
        check(query)?;
        let mut writers = self.writers(cache, query)?;
        if query.id.is_some() && writers.iter().any(Writer::counts) {
            writers.retain(Writer::counts);
        }
        one_of_many(&writers, query)?;
        if let Some(elsewhere) = writers.first().filter(|_| !writers.iter().any(Writer::moves)) {
            let node = elsewhere.node.id().to_owned();
            return Err(ConsoleError::NodeRefuses { node, because: NOBODY_MOVES.to_owned() });
        }
        let job = DeadLetterJob {
            cache: cache.to_owned(),
            action,
            query: query.clone(),
            actor: actor.name.clone(),
            started_at_ms: now_ms(),
            ..DeadLetterJob::default()
        };
        let owner = JobOwner::new(actor);
        let running = self.inner.dead_letter_jobs.begin(job, &owner)?;
        let tracked = running.tracked();
        let run = DeadLetterRun { owner, writers, target };
        tokio::spawn(run.complete(self.clone(), running));
        Ok(tracked.ended(WAIT).await)
    }

    /// The newest redrive or drop of a cache's dead letters: running, or as it ended; `None` where
    /// nobody has asked for one.
    pub fn dead_letter_job(&self, cache: &str) -> Option<DeadLetterJob> {
        Some(self.inner.dead_letter_jobs.get(cache)?.now())
    }

    /// Asks a running redrive or drop to stop after its current step. What it did stays done.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`], [`ConsoleError::NoDeadLetterJob`].
    pub fn cancel_dead_letter_job(
        &self,
        actor: &Actor,
        cache: &str,
    ) -> Result<DeadLetterJob, ConsoleError> {
        let audited = AuditedAction::new("cancel_dead_letters", cache, "");
        self.authorise_action(actor, audited)?;
        let tracked = self.inner.dead_letter_jobs.get(cache);
        let tracked = tracked.ok_or_else(|| ConsoleError::no_dead_letter_job(cache))?;
        if tracked.cancel() {
            self.inner.audit.record(
                actor,
                audited,
                "Asked to stop after its current step.".to_owned(),
            );
        }
        Ok(tracked.now())
    }

    /// Why no dead letters of the cache can be moved, as a sentence; `None` where some can, or where
    /// there is no write-behind.
    pub fn why_no_dead_letter_moves(&self, cache: &str) -> Option<String> {
        let writers = self.writers(cache, &DeadLetterQuery::default()).ok()?;
        let why = || format!("Strata failed to move them, because {NOBODY_MOVES}.");
        (!writers.iter().any(Writer::moves)).then(why)
    }

    /// The nodes that have the cache's write-behind, or the one that the query names.
    fn writers(&self, cache: &str, query: &DeadLetterQuery) -> Result<Vec<Writer>, ConsoleError> {
        let tick = self.tick();
        let writer = |(node, report): (Arc<dyn NodeClient>, &NodeReport)| {
            let report = report.write_behinds.iter().find(|writes| writes.cache == cache)?;
            Some(Writer { node, report: report.clone() })
        };
        let mut writers: Vec<Writer> =
            self.reported(&tick.reports, &tick.attached).filter_map(writer).collect();
        if writers.is_empty() {
            self.cache(cache)?;
            return Err(ConsoleError::NoWriteBehind(cache.to_owned()));
        }
        writers.extend(self.lost_writers(cache));
        // What lies in Redis is reached by a node of this process where there is one.
        writers.sort_by_key(|writer| writer.node.presence().is_some());
        if let Some(node) = query.node.as_deref() {
            writers.retain(|writer| writer.node.id() == node);
            if writers.is_empty() {
                return Err(ConsoleError::node_gone(node));
            }
        }
        Ok(writers)
    }

    /// Nodes elsewhere that had the cache's write-behind and are lost: they answer nothing, and what
    /// they keep is in no sum.
    fn lost_writers(&self, cache: &str) -> Vec<Writer> {
        let lost = self.inner.nodes.lost().into_iter().filter_map(|last| {
            let report = last.write_behinds.iter().find(|writes| writes.cache == cache)?;
            let report = WriteBehindReport { aside: 0, ..report.clone() };
            Some(Writer { node: self.inner.nodes.get(&last.node)?, report })
        });
        lost.collect()
    }
}

/// Whether a query can be read. Fields that are set and empty are refused, so that a slip does not
/// mean all.
fn check(query: &DeadLetterQuery) -> Result<(), ConsoleError> {
    let fields =
        [("id", &query.id), ("node", &query.node), ("key", &query.key), ("reason", &query.reason)];
    let empty = fields.iter().find(|(_, text)| text.as_deref() == Some(""));
    match empty {
        Some((name, _)) => Err(ConsoleError::EmptyField(name)),
        None => Ok(DeadLetterFilter::try_from(query).map(drop)?),
    }
}

/// Who may not see reasons does not learn of them by asking which dead letters have one.
fn may_choose(actor: &Actor, query: &DeadLetterQuery) -> Result<(), ConsoleError> {
    if query.reason.is_none() || actor.rights.values {
        return Ok(());
    }
    let why = "Only who may see values may choose dead letters by their reason.";
    Err(ConsoleError::Refused(why.to_owned()))
}

/// An id names a dead letter in memory on its node only.
fn one_of_many(writers: &[Writer], query: &DeadLetterQuery) -> Result<(), ConsoleError> {
    if query.id.is_none() || writers.len() == 1 || is_shared(writers) {
        return Ok(());
    }
    let nodes: Vec<&str> = writers.iter().map(|writer| writer.node.id()).collect();
    Err(ConsoleError::NodeNotNamed(nodes.join(", ")))
}

/// Whether all of them see the same dead letters.
pub(crate) fn is_shared(writers: &[Writer]) -> bool {
    writers.iter().all(|writer| writer.report.kind == WriteBehindKind::Durable)
}

/// The name of an action in the audit trail.
pub(crate) const fn audit_name(action: DeadLetterAction) -> &'static str {
    match action {
        DeadLetterAction::Redrive => "redrive_dead_letters",
        DeadLetterAction::Drop => "drop_dead_letters",
    }
}

/// Which dead letters are meant, for the audit trail.
pub(crate) fn in_words(query: &DeadLetterQuery) -> String {
    let text = |name: &str, field: &Option<String>| {
        let field = field.as_deref().filter(|text| !text.is_empty())?;
        Some(format!("{name} {field}"))
    };
    let time = |name: &str, ms: Option<u64>| Some(format!("{name} {} ms", ms?));
    let parts = [
        text("id", &query.id),
        text("node", &query.node),
        text("key", &query.key),
        text("reason", &query.reason),
        time("from", query.from_ms),
        time("until", query.until_ms),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_says_which_dead_letters_were_meant() {
        assert_eq!(in_words(&DeadLetterQuery::default()), "all");
        let query = DeadLetterQuery {
            key: Some("4*".to_owned()),
            until_ms: Some(7),
            ..DeadLetterQuery::default()
        };
        assert_eq!(in_words(&query), "key 4*, until 7 ms");
    }
}
