//! What several nodes answer to one question. That some do not answer is the normal case.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;

use super::cache_nodes::CacheNode;
use super::client::NodeClient;
use super::fan_out::FanOut;
use super::reporting::report_of;
use crate::error::ConsoleError;

/// Fewer nodes elsewhere are asked one by one, and each has the whole time to answer.
const ASKED_TOGETHER_FROM: usize = 8;

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
/// the same cores, and those elsewhere at the same time.
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
    let mut gathered = Gathered { answers: Vec::new(), missing: Vec::new() };
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
    let answers = join_all(elsewhere.iter().map(|node| ask(asked(node)))).await;
    for (node, answer) in elsewhere.into_iter().zip(answers) {
        gathered.take(node, answer)?;
    }
    Ok(gathered)
}

impl<T> Gathered<T> {
    fn take(
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
        let is_silent = |one: &&Missing| matches!(one.error, ConsoleError::NodeGone(_));
        let (silent, others): (Vec<_>, Vec<_>) = missing.iter().partition(is_silent);
        if !silent.is_empty() {
            let named: Vec<_> = silent.iter().take(MOST_NAMED).map(|one| one.silent()).collect();
            said.push_str(&format!("; silent: {}", named.join(", ")));
            if let more @ 1.. = silent.len().saturating_sub(MOST_NAMED) {
                said.push_str(&format!(" and {more} more"));
            }
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
fn named(nodes: &[&str]) -> String {
    let names = nodes.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    match nodes.len().saturating_sub(MOST_NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

impl Missing {
    fn silent(&self) -> String {
        let heard = self.heard_ms_ago.map(|ms| format!(" (last heard {} s ago)", ms / 1_000));
        format!("{}{}", self.node, heard.unwrap_or_default())
    }
}
