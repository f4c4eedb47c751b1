//! A node elsewhere: what it last reported, and the way to ask it.

use std::pin::Pin;
use std::sync::Arc;

use strata_cache::{AskError, AskTo, FleetClient, FleetNode, Node};
use strata_report::{
    CacheEvents, CacheReport, DeadLetterRequest, NodeAnswer, NodeError, NodePresence, NodeRequest,
    PresenceState, Reply, ReplyState, ShownValues,
};

use crate::nodes::asks::{FanOut, asked_by};
use crate::nodes::client::{NodeClient, SharedRedis};
use crate::nodes::shared_report::SharedReport;

/// Of an answer that was too large, so many times fewer keys are asked for.
const FEWER: u64 = 8;

/// A node elsewhere as it was last heard.
#[derive(Clone)]
pub(in crate::nodes) struct RemoteNode {
    presence: Arc<NodePresence>,
    report: Option<SharedReport>,
    acted_on: u64,
    observer: Node,
    client: FleetClient,
    /// Where it is asked together with others.
    others: Option<Arc<FanOut>>,
}

impl RemoteNode {
    /// Redis is reached through the node that looks on, and the node itself through the client.
    pub(super) fn new((observer, client): (&Node, &FleetClient), node: &FleetNode) -> Self {
        Self {
            presence: Arc::new(presence_of(node)),
            report: node.report.as_ref().map(SharedReport::of_fleet),
            acted_on: node.report.as_ref().map_or(0, |report| report.acted_on),
            observer: observer.clone(),
            client: client.clone(),
            others: None,
        }
    }

    /// Whether its numbers belong into sums.
    pub(super) fn counts(&self) -> bool {
        self.presence.state.counts()
    }

    /// Whether its numbers are in the sums.
    pub(super) fn is_summed(&self) -> bool {
        self.counts() && self.report.is_some()
    }

    pub(super) fn is(&self, state: PresenceState) -> bool {
        self.presence.state == state
    }

    pub(super) fn shared_presence(&self) -> &Arc<NodePresence> {
        &self.presence
    }

    /// What it said last, whatever has become of it.
    pub(super) fn last_report(&self) -> Option<SharedReport> {
        self.report.clone()
    }

    pub(super) fn acted_on(&self) -> u64 {
        self.acted_on
    }

    /// Whether it is in no sum and may have a cache all the same.
    pub(super) fn is_silent_with(&self, cache: &str) -> bool {
        match (&self.report, self.presence.state) {
            (None, state) => state.counts() || state == PresenceState::Lost,
            (Some(report), PresenceState::Lost) => {
                report.caches.iter().any(|held| held.cache == cache)
            }
            (Some(_), _) => false,
        }
    }

    /// Whether it lets nobody see values of a cache, by what it said last.
    fn hides_values_of(&self, cache: &str) -> bool {
        let mut caches = self.report.iter().flat_map(|report| &report.caches);
        let hides =
            |held: &CacheReport| held.cache == cache && held.settings.values == ShownValues::Hidden;
        caches.any(hides)
    }

    /// What is known without asking it: it does not answer, or it cannot be understood.
    fn silence(&self) -> Option<NodeAnswer> {
        if !self.counts() {
            return Some(failed(NodeError::Gone { node: self.id().to_owned() }));
        }
        let because = match (&self.report, &self.presence.unreadable) {
            (Some(_), _) => return None,
            (None, Some(_)) => "its report cannot be read",
            (None, None) => "it has not reported yet",
        };
        Some(refused(because))
    }

    /// Its reply, by the question to all where there is one.
    async fn reply_to(&self, (kind, body): (&str, &str)) -> Result<Option<Reply>, AskError> {
        if let Some(others) = &self.others
            && let Some(reply) = others.ask((&self.client, self.id()), (kind, body)).await
        {
            return reply;
        }
        let replies = self.client.ask(AskTo::Node(self.id()), kind, body, &asked_by()).await?;
        Ok(replies.replies.into_iter().next())
    }

    /// What it answers; `None` where that is too large.
    async fn ask_elsewhere(&self, request: &NodeRequest) -> Option<NodeAnswer> {
        if let Some(silence) = self.silence() {
            return Some(silence);
        }
        let body = serde_json::to_string(request).unwrap_or_default();
        match self.reply_to((request.kind(), &body)).await {
            Ok(Some(reply)) => answer(reply),
            Ok(None) => Some(failed(NodeError::Gone { node: self.id().to_owned() })),
            Err(AskError::Away) => Some(refused("Redis cannot be reached")),
            Err(error) => Some(refused(&format!("the console failed to {error}"))),
        }
    }
}

impl RemoteNode {
    /// As many of them as fit into an answer; values may be large.
    async fn dead_letters_elsewhere(&self, mut request: DeadLetterRequest) -> NodeAnswer {
        loop {
            match self.ask_elsewhere(&NodeRequest::DeadLetters(request.clone())).await {
                Some(answer) => return answer,
                None if request.limit <= 1 => return too_large(),
                None => request.limit = (request.limit / FEWER).max(1),
            }
        }
    }
}

impl NodeClient for RemoteNode {
    fn id(&self) -> &str {
        &self.presence.node
    }

    fn report(&self) -> Option<SharedReport> {
        self.report.clone().filter(|_| self.counts())
    }

    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents {
        // It tells of the keys that somebody looks at.
        self.client.events_after((self.id(), cache), seq)
    }

    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
        Box::pin(async move {
            match request {
                // What it has shown itself is as its cache lets people see it. Others may show more.
                NodeRequest::ShowValue(shown) => {
                    let value = Some(shown.value).filter(|_| !self.hides_values_of(&shown.cache));
                    NodeAnswer::Value { value }
                }
                NodeRequest::DropFromL1(_) => refused("only the bus removes keys from its L1"),
                NodeRequest::ListL1(query) => {
                    let fewer = NodeRequest::ListL1(strata_report::L1Query {
                        limit: (query.limit / FEWER).max(1),
                        ..query.clone()
                    });
                    match self.ask_elsewhere(&NodeRequest::ListL1(query)).await {
                        Some(answer) => answer,
                        None => self.ask_elsewhere(&fewer).await.unwrap_or_else(too_large),
                    }
                }
                NodeRequest::DeadLetters(request) => self.dead_letters_elsewhere(request).await,
                // Without the value, which needs the node's codec, the console sees it itself.
                NodeRequest::LookL2(_) if !self.presence.policy.values => {
                    self.observer.answer(request).await
                }
                NodeRequest::LookL2(key) => {
                    let request = NodeRequest::LookL2(key);
                    match self.ask_elsewhere(&request).await {
                        Some(NodeAnswer::Failed { .. }) | None => {
                            self.observer.answer(request).await
                        }
                        Some(answer) => answer,
                    }
                }
                request => self.ask_elsewhere(&request).await.unwrap_or_else(too_large),
            }
        })
    }

    fn asked_with_others(&self, others: &Arc<FanOut>) -> Option<Arc<dyn NodeClient>> {
        // Nobody else is asked in vain, or few are.
        let is_worth_it = others.n_asked() * 2 >= self.client.n_answering();
        let with_others = || Self { others: Some(Arc::clone(others)), ..self.clone() };
        is_worth_it.then(|| Arc::new(with_others()) as Arc<dyn NodeClient>)
    }

    fn shared(&self) -> &dyn SharedRedis {
        &self.observer
    }

    fn shared_by(&self) -> &str {
        self.observer.id()
    }

    fn presence(&self) -> Option<&NodePresence> {
        Some(&self.presence)
    }
}

fn presence_of(node: &FleetNode) -> NodePresence {
    let card = node.card.as_deref().cloned().unwrap_or_default();
    let report = node.report.as_ref();
    let run = report.map(|report| report.run.clone()).filter(|run| !run.is_empty());
    NodePresence {
        node: node.id.clone(),
        state: node.state,
        heard_ms_ago: node.heard_ms_ago,
        run: run.unwrap_or_else(|| card.run.clone()),
        is_two_processes: node.is_two_processes,
        unreadable: node.unreadable.as_ref().map(ToString::to_string),
        cut: report.map_or(0, |report| report.cut),
        ..card.into()
    }
}

fn failed(error: NodeError) -> NodeAnswer {
    NodeAnswer::Failed { error }
}

fn refused(because: &str) -> NodeAnswer {
    failed(NodeError::Refused { because: because.to_owned() })
}

fn too_large() -> NodeAnswer {
    refused("its answer is too large")
}

/// What a node's reply says; `None` where it was too large.
fn answer(reply: Reply) -> Option<NodeAnswer> {
    let unsupported = |version: String| failed(NodeError::Unsupported { version });
    Some(match reply.state {
        ReplyState::Answered => match serde_json::from_str(&reply.body) {
            Ok(NodeAnswer::Other) | Err(_) => unsupported(reply.strata),
            Ok(answer) => answer,
        },
        ReplyState::Failed => match serde_json::from_str(&reply.body) {
            Ok(NodeAnswer::Failed { error }) => failed(error),
            _ => refused(&reply.because),
        },
        ReplyState::Truncated => return None,
        ReplyState::Busy | ReplyState::Refused => refused(&reply.because),
        ReplyState::Unsupported | ReplyState::Other => unsupported(reply.strata),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_large_is_not_one_of_another_version() {
        let reply = |state| Reply { state, strata: "9.9.9".to_owned(), ..Reply::default() };
        assert_eq!(answer(reply(ReplyState::Truncated)), None);
        let newer = Some(failed(NodeError::Unsupported { version: "9.9.9".to_owned() }));
        assert_eq!(answer(reply(ReplyState::Other)), newer);
    }
}
