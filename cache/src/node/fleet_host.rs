//! A node's part in its fleet: its settings, its tasks, and what bounds its answers.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use strata_report::{
    DeadLetterRow, EntryLook, EventRequest, L2Look, NodeAnswer, NodeError, NodePresence,
    NodeReport, NodeRequest,
};

use super::builder::NodeBuilder;
use super::dyn_cache::DynCache;
use super::handle::Node;
use super::shared::Shared;
use crate::fleet::{Fleet, FleetHost};
use crate::l1::slices;
use crate::recorder::{EventCursor, NewEvents};
use crate::user_code::BoxFuture;

/// A walk over L1 for a console takes so much of a thread's time at most.
const WALK_BUDGET: Duration = Duration::from_millis(100);

/// The most keys that are listed.
const MOST_LISTED: u64 = 1_000;

/// How a service loads keys anew for consoles, by cache.
#[derive(Default)]
pub(crate) struct Refreshers(RwLock<HashMap<String, Refresher>>);

type Refresher = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl Refreshers {
    pub(super) fn of(&self, cache: &str) -> Option<Refresher> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(cache).cloned()
    }
}

impl NodeBuilder {
    /// What the node tells consoles elsewhere and lets them do. Default `Fleet::reports().looks()`.
    /// It takes effect where the node has Redis.
    pub fn fleet(mut self, fleet: Fleet) -> Self {
        self.fleet = fleet;
        self
    }

    /// The name and version of the program, for reports and for consoles elsewhere. It sets the same
    /// version as [`version`](Self::version).
    pub fn app(mut self, name: &str, version: &str) -> Self {
        name.clone_into(&mut self.identity.app);
        version.clone_into(&mut self.version);
        self
    }

    /// The environment that the node belongs to, as `production`, for consoles elsewhere.
    pub fn environment(mut self, name: &str) -> Self {
        name.clone_into(&mut self.identity.environment);
        self
    }

    /// Something else to say of the node, as its zone, for consoles elsewhere. The last value of a
    /// name counts.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.identity.labels.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Node {
    /// What the node says of itself to consoles elsewhere, for one in the same process. `None` where
    /// it has no Redis, or tells consoles nothing.
    pub fn own_presence(&self) -> Option<NodePresence> {
        self.shared().presence.as_ref().map(|presence| presence.here())
    }

    /// How a cache's keys are loaded anew where a console asks for it, which
    /// [`Fleet::refreshes`] must allow. `refresh` gets the key's text, and may panic. It is
    /// dropped where it takes longer than the console waits. The last one of a cache counts.
    pub fn refresh_with<F, Fut>(&self, cache: &str, refresh: F)
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let refresh: Refresher = Arc::new(move |key| Box::pin(refresh(key)));
        let mut refreshers =
            self.shared().refreshers.0.write().unwrap_or_else(PoisonError::into_inner);
        refreshers.insert(cache.to_owned(), refresh);
    }
}

impl Shared {
    /// Shows the node to consoles elsewhere until it ends.
    pub(super) fn spawn_fleet_tasks(self: &Arc<Self>) {
        let Some(presence) = &self.presence else { return };
        let (shared, beating) = (Arc::clone(self), Arc::clone(presence));
        self.tasks.spawn("fleet beats", move || {
            let (host, presence) = (Arc::clone(&shared), Arc::clone(&beating));
            async move { presence.beat(host).await }
        });
        let (shared, answering) = (Arc::clone(self), Arc::clone(presence));
        self.tasks.spawn("fleet answers", move || {
            let (host, presence) = (Arc::clone(&shared), Arc::clone(&answering));
            async move { presence.answer(host).await }
        });
        // No task of the supervisor's: those end at the shutdown, and this begins there.
        let (shutdown, leaving) = (self.shutdown.clone(), Arc::clone(presence));
        tokio::spawn(async move {
            shutdown.cancelled().await;
            leaving.leave().await;
        });
    }
}

/// Leaves an entry's value as its cache lets people see it. One that remembers that there is none
/// hides nothing.
fn shown(cache: &dyn DynCache, entry: &mut EntryLook, shows_values: bool) {
    let had_value = entry.value.is_some();
    entry.value = entry.value.take().filter(|_| shows_values);
    entry.value = entry.value.take().and_then(|value| cache.shown(value));
    entry.value_hidden |= had_value && entry.value.is_none();
}

/// Who sees no values does not learn of them by asking which dead letters have one in their reason,
/// which is the sink's text.
fn asks_for_reasons(request: &NodeRequest) -> bool {
    let query = match request {
        NodeRequest::DeadLetters(request) => &request.query,
        NodeRequest::MoveDeadLetters(step) => &step.query,
        _ => return false,
    };
    query.reason.is_some()
}

/// The most that a dead letter's value takes on its way, bytes.
const MOST_OF_A_VALUE: usize = 200 * 1_024;

/// Leaves out a dead letter's value where no answer has room for it, and says so: those behind it
/// would not be seen either.
fn cut_letter(row: &mut DeadLetterRow) {
    let Some(value) = &row.value else { return };
    // It is JSON within JSON within JSON.
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    if quoted(&quoted(value)).len() > MOST_OF_A_VALUE {
        let n_bytes = value.len();
        row.value = None;
        row.reason.push_str(&format!(" (its value of {n_bytes} bytes is too large to be sent)"));
    }
}

/// Leaves a dead letter as its cache lets people see it.
fn cover_letter(cache: &dyn DynCache, row: &mut DeadLetterRow, shows_values: bool) {
    if !shows_values {
        (row.value, row.reason) = (None, String::new());
    }
    row.value = row.value.take().and_then(|value| cache.shown(value));
    cut_letter(row);
}

/// No console gets more keys at once, however many it asks for.
fn cap(request: &mut NodeRequest) {
    if let NodeRequest::ListL1(query) | NodeRequest::MatchL1(query) = request {
        query.limit = query.limit.min(MOST_LISTED);
    }
}

/// Values as consoles may see them.
fn cover(cache: &dyn DynCache, answer: &mut NodeAnswer, shows_values: bool) {
    match answer {
        NodeAnswer::Entry { entry: Some(entry) } => shown(cache, entry, shows_values),
        NodeAnswer::L2 { look: Some(L2Look::Entry(entry)) } => shown(cache, entry, shows_values),
        NodeAnswer::DeadLetters(page) => {
            page.rows.iter_mut().for_each(|row| cover_letter(cache, row, shows_values));
        }
        _ => {}
    }
}

/// A walk that ended before its time says so.
fn mark_partial(answer: &mut NodeAnswer) {
    match answer {
        NodeAnswer::Matches(matches) => matches.is_partial = true,
        NodeAnswer::Keys(keys) => keys.is_partial = true,
        NodeAnswer::Survey(survey) => survey.is_partial = true,
        _ => {}
    }
}

impl FleetHost for Shared {
    fn report(&self) -> NodeReport {
        Self::report(self)
    }

    fn acted_on(&self) -> u64 {
        self.bus_reader.heard()
    }

    fn events_of(&self, request: &EventRequest, after: Option<EventCursor>) -> NewEvents {
        let Some(cache) = self.cache(&request.cache) else { return NewEvents::default() };
        let mut found = cache.events_of_keys(&request.keys, after);
        for event in &mut found.events {
            self.id().clone_into(&mut event.node);
            request.cache.clone_into(&mut event.cache);
        }
        found
    }

    fn cache_names(&self) -> Vec<String> {
        self.caches().iter().map(|cache| cache.name().to_owned()).collect()
    }

    fn answer(
        self: Arc<Self>,
        request: NodeRequest,
        shows_values: bool,
    ) -> BoxFuture<'static, (NodeAnswer, bool)> {
        Box::pin(async move {
            let mut request = request;
            cap(&mut request);
            if asks_for_reasons(&request) && !shows_values {
                let because = "this node shows no values, and reasons may quote some".to_owned();
                return (NodeAnswer::Failed { error: NodeError::Refused { because } }, false);
            }
            let cache = self.cache(request.cache());
            let answering = Self::answer(&self, request);
            let (mut answer, ran_out) = slices::within(WALK_BUDGET, answering).await;
            if let Some(cache) = cache {
                cover(&*cache, &mut answer, shows_values);
            }
            if ran_out {
                mark_partial(&mut answer);
            }
            (answer, ran_out)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_that_no_answer_has_room_for_goes_without_its_value_and_says_so() {
        let row = |n: usize, text: &str| DeadLetterRow {
            value: Some(text.repeat(n)),
            reason: "duplicate key".to_owned(),
            ..DeadLetterRow::default()
        };
        let cut = |mut row: DeadLetterRow| {
            cut_letter(&mut row);
            row
        };
        assert_eq!(cut(row(100_000, "x")), row(100_000, "x"));
        // Each of them is four bytes on its way.
        for large in [row(300_000, "x"), row(100_000, "\"")] {
            let n_bytes = large.value.as_ref().unwrap().len();
            let cut = cut(large);
            let said =
                format!("duplicate key (its value of {n_bytes} bytes is too large to be sent)");
            assert_eq!((cut.value, cut.reason), (None, said));
        }
    }
}
