//! What several nodes answer to one question. That some do not answer is the normal case.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::fan_out::FanOut;
use crate::error::ConsoleError;
use crate::nodes::cache_nodes::CacheNode;
use crate::nodes::client::NodeClient;
use crate::nodes::reporting::report_of;

/// Fewer nodes elsewhere are asked one by one, and each has the whole time to answer.
const ASKED_TOGETHER_FROM: usize = 8;

/// So many questions to nodes elsewhere are under way at a time. Most end within a second; a list
/// that has to be asked for again in smaller parts takes some, and holds up one place of them.
const AT_ONCE: usize = 32;

/// So many nodes are named that did not answer.
const MOST_NAMED: usize = 8;

/// The answers of those that answered, and why the others did not.
pub(crate) struct Gathered<T> {
    /// By the node's place among those that were asked.
    pub(crate) answers: Vec<(Arc<dyn NodeClient>, T)>,
    pub(crate) missing: Vec<Missing>,
}

/// A node that has not answered.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub(crate) node: String,
    heard_ms_ago: Option<u64>,
    /// Whether its numbers are in the sums all the same.
    pub(crate) is_summed: bool,
    pub(crate) error: ConsoleError,
}

/// Asks all nodes that have a cache: those of this process one after the other, since each walks on
/// the same cores, and those elsewhere at the same time, as far as there are few.
///
/// # Errors
/// Where the question makes no sense, or takes too long. A node that is gone, refuses or runs
/// another version is missing instead.
pub(crate) async fn gather<T, F>(
    nodes: &[CacheNode],
    ask: impl Fn(Arc<dyn NodeClient>) -> F,
) -> Result<Gathered<T>, ConsoleError>
where
    F: Future<Output = Result<T, ConsoleError>>,
{
    let (elsewhere, here): (Vec<_>, Vec<_>) =
        nodes.iter().map(|held| &held.node).partition(|node| node.presence().is_some());
    let mut gathered = Gathered::default();
    for node in here {
        gathered.take(node, ask(Arc::clone(node)).await)?;
    }
    let counts = |node: &&&Arc<dyn NodeClient>| {
        node.presence().is_some_and(|presence| presence.state.counts())
    };
    let n_asked = elsewhere.iter().filter(counts).count();
    let others = Arc::new(FanOut::new(n_asked));
    let asked = |node: &Arc<dyn NodeClient>| {
        let with_others = (n_asked >= ASKED_TOGETHER_FROM).then(|| node.asked_with_others(&others));
        with_others.flatten().unwrap_or_else(|| Arc::clone(node))
    };
    let asking = elsewhere.iter().enumerate().map(|(nth, node)| {
        let answer = ask(asked(node));
        async move { (nth, answer.await) }
    });
    let asking: Vec<_> = asking.collect();
    let mut answers: Vec<_> = stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
    answers.sort_by_key(|(nth, _)| *nth);
    for (nth, answer) in answers {
        gathered.take(elsewhere[nth], answer)?;
    }
    Ok(gathered)
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { answers: Vec::new(), missing: Vec::new() }
    }
}

impl<T> Gathered<T> {
    /// Adds what a node has answered.
    ///
    /// # Errors
    /// Where that is about the question, and not about the node.
    pub(crate) fn take(
        &mut self,
        node: &Arc<dyn NodeClient>,
        answer: Result<T, ConsoleError>,
    ) -> Result<(), ConsoleError> {
        match answer {
            Ok(answer) => self.answers.push((Arc::clone(node), answer)),
            Err(error) if error.is_of_the_node() => self.missing.push(Missing {
                node: node.id().to_owned(),
                heard_ms_ago: node.presence().map(|presence| presence.heard_ms_ago),
                is_summed: report_of(&**node).is_some(),
                error,
            }),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Who did not answer, as a sentence: "9 of 10 nodes answered; silent: pod-7 (last heard 4 s
    /// ago)." `None` where all have.
    pub(crate) fn partial(&self) -> Option<String> {
        let (answered, missing) = (self.answers.len(), &self.missing);
        if missing.is_empty() {
            return None;
        }
        let nodes = if answered + missing.len() == 1 { "node" } else { "nodes" };
        let mut said = format!("{answered} of {} {nodes} answered", answered + missing.len());
        let (silent, others): (Vec<_>, Vec<_>) = missing.iter().partition(|one| one.is_silent());
        if !silent.is_empty() {
            let silent: Vec<_> = silent.into_iter().map(Missing::in_words).collect();
            said.push_str(&format!("; silent: {}", named(&silent)));
        }
        let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for Missing { node, error, .. } in others {
            reasons.entry(reason(error)).or_default().push(node);
        }
        for (reason, nodes) in reasons.iter().take(MOST_NAMED) {
            said.push_str(&format!("; {}: {reason}", named(nodes)));
        }
        said.push('.');
        Some(said)
    }

    /// Those of the nodes that were asked which have said something, and be it that they refuse.
    pub(crate) fn without_silent(&self, asked: &[CacheNode]) -> Vec<CacheNode> {
        let silent = self.missing.iter().filter(|one| one.is_silent());
        let silent: HashSet<&str> = silent.map(|one| &*one.node).collect();
        asked.iter().filter(|held| !silent.contains(held.node.id())).cloned().collect()
    }

    /// The answers, where anybody has answered.
    ///
    /// # Errors
    /// Why the first one has not, where nobody has.
    pub(crate) fn unless_all_missing(self) -> Result<Self, ConsoleError> {
        match self.missing.first() {
            Some(first) if self.answers.is_empty() => Err(first.error.clone()),
            _ => Ok(self),
        }
    }
}

fn reason(error: &ConsoleError) -> String {
    match error {
        ConsoleError::NodeRefuses { because, .. } => because.clone(),
        error => format!("failed to {error}"),
    }
}

/// The nodes by name, as far as they are few.
fn named<S: Borrow<str>>(nodes: &[S]) -> String {
    let names = nodes[..nodes.len().min(MOST_NAMED)].join(", ");
    match nodes.len().saturating_sub(MOST_NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

impl Missing {
    fn is_silent(&self) -> bool {
        matches!(self.error, ConsoleError::NodeGone(_))
    }

    /// With how long ago it was heard.
    fn in_words(&self) -> String {
        let heard = self.heard_ms_ago.map(|ms| format!(" (last heard {} s ago)", ms / 1_000));
        format!("{}{}", self.node, heard.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use strata_report::{CacheEvents, NodeAnswer, NodePresence, NodeRequest, PresenceState};
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::nodes::{SharedRedis, SharedReport};

    /// A node elsewhere that nothing is asked of but what a test says.
    struct Elsewhere(NodePresence);

    impl NodeClient for Elsewhere {
        fn id(&self) -> &str {
            &self.0.node
        }

        fn report(&self) -> Option<SharedReport> {
            None
        }

        fn events_after(&self, _cache: &str, _seq: u64) -> CacheEvents {
            CacheEvents::default()
        }

        fn ask<'a>(
            &'a self,
            _request: NodeRequest,
        ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
            Box::pin(std::future::pending())
        }

        fn presence(&self) -> Option<&NodePresence> {
            Some(&self.0)
        }

        fn shared(&self) -> &dyn SharedRedis {
            unreachable!("nobody asks Redis")
        }
    }

    fn nodes(n: usize) -> Vec<CacheNode> {
        let node = |n: usize| {
            let (node, state) = (format!("pod-{n:04}"), PresenceState::Up);
            let presence = NodePresence { node, state, ..NodePresence::default() };
            let shows = strata_report::ShownValues::default();
            CacheNode { node: Arc::new(Elsewhere(presence)), hears: true, has_l2: true, shows }
        };
        (0..n).map(node).collect()
    }

    const SLOW: Duration = Duration::from_secs(1);
    const FAST: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn few_of_many_questions_are_under_way_and_one_slow_node_holds_up_nobody() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (now, most) = (&now, &most);
        let (nodes, began) = (nodes(499), Instant::now());
        let gathered = gather(&nodes, |node| async move {
            most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
            sleep(if node.id() == "pod-0000" { SLOW } else { FAST }).await;
            now.fetch_sub(1, Relaxed);
            Ok(node.id().to_owned())
        });
        let answers = gathered.await.unwrap().answers;
        assert_eq!(most.load(Relaxed), AT_ONCE);
        assert_eq!(began.elapsed(), SLOW, "the others are asked meanwhile");
        let in_order = answers.iter().enumerate();
        assert!(in_order.into_iter().all(|(n, (_, id))| *id == format!("pod-{n:04}")));
        assert_eq!(answers.len(), 499);
    }

    #[tokio::test]
    async fn those_that_are_silent_are_told_from_those_that_refuse() {
        let nodes = nodes(3);
        let gathered = gather(&nodes, |node| async move {
            match node.id() {
                "pod-0000" => Ok(()),
                "pod-0001" => Err(ConsoleError::node_gone(node.id())),
                id => {
                    let because = "it shows no values".to_owned();
                    Err(ConsoleError::NodeRefuses { node: id.to_owned(), because })
                }
            }
        });
        let gathered = gathered.await.unwrap();
        let speaking = gathered.without_silent(&nodes);
        let ids: Vec<_> = speaking.iter().map(|held| held.node.id()).collect();
        assert_eq!(ids, ["pod-0000", "pod-0002"]);
        let said = "1 of 3 nodes answered; silent: pod-0001 (last heard 0 s ago); \
                    pod-0002: it shows no values.";
        assert_eq!(gathered.partial().as_deref(), Some(said));
    }
}
