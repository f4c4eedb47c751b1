//! What several nodes answer to one question. That some do not answer is the normal case.

use std::sync::Arc;

use futures::future::join_all;

use super::cache_nodes::CacheNode;
use super::client::NodeClient;
use super::reporting::report_of;
use crate::error::ConsoleError;

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
    let answers = join_all(elsewhere.iter().map(|node| ask(Arc::clone(node)))).await;
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
            let silent: Vec<_> = silent.into_iter().map(Missing::silent).collect();
            said.push_str(&format!("; silent: {}", silent.join(", ")));
        }
        for Missing { node, error, .. } in others {
            said.push_str(&match error {
                ConsoleError::NodeRefuses { because, .. } => format!("; {node}: {because}"),
                error => format!("; {node}: failed to {error}"),
            });
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

impl Missing {
    fn silent(&self) -> String {
        let heard = self.heard_ms_ago.map(|ms| format!(" (last heard {} s ago)", ms / 1_000));
        format!("{}{}", self.node, heard.unwrap_or_default())
    }
}
