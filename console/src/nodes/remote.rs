//! A node elsewhere: what it last reported, and the way to ask it.

use std::pin::Pin;
use std::sync::Arc;

use strata_cache::{AskError, AskTo, FleetNode};
use strata_report::{
    CacheEvents, NodeAnswer, NodeError, NodePresence, NodeReport, NodeRequest, Reply, ReplyState,
};

use super::client::{NodeClient, SharedRedis};
use super::fleet::{Inner, presence_of, report_of};

/// Who asks, as nodes see it. Consoles write down themselves who told them to.
const ACTOR: &str = "console";

/// Of an answer that was too large, so many times fewer keys are asked for.
const FEWER: u64 = 8;

/// A node elsewhere as it was last heard.
pub(super) struct RemoteNode {
    presence: NodePresence,
    report: Option<NodeReport>,
    acted_on: u64,
    fleet: Arc<Inner>,
}

impl RemoteNode {
    pub(super) fn new(fleet: &Arc<Inner>, node: &FleetNode) -> Self {
        Self {
            presence: presence_of(node),
            report: report_of(node),
            acted_on: node.report.as_ref().map_or(0, |report| report.acted_on),
            fleet: Arc::clone(fleet),
        }
    }

    /// Whether its numbers belong into sums.
    pub(super) fn counts(&self) -> bool {
        self.presence.state.counts()
    }

    pub(super) fn acted_on(&self) -> u64 {
        self.acted_on
    }

    async fn ask_elsewhere(&self, request: &NodeRequest) -> NodeAnswer {
        let body = serde_json::to_string(request).unwrap_or_default();
        let to = AskTo::Node(self.id());
        match self.fleet.client.ask(to, request.kind(), &body, ACTOR).await {
            Ok(replies) => match replies.replies.into_iter().next() {
                Some(reply) => answer(reply),
                None => failed(NodeError::Gone { node: self.id().to_owned() }),
            },
            Err(AskError::Away) => refused("Redis cannot be reached"),
            Err(error) => refused(&format!("the console failed to {error}")),
        }
    }
}

impl NodeClient for RemoteNode {
    fn id(&self) -> &str {
        &self.presence.node
    }

    fn report(&self) -> Option<NodeReport> {
        self.report.clone().filter(|_| self.counts())
    }

    fn events_after(&self, _cache: &str, _seq: u64) -> CacheEvents {
        // It tells what happened to a key only where it is asked.
        CacheEvents::default()
    }

    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
        Box::pin(async move {
            match request {
                // The node has shown it as its cache lets people see it.
                NodeRequest::ShowValue(shown) => NodeAnswer::Value { value: Some(shown.value) },
                NodeRequest::DropFromL1(_) => refused("only the bus removes keys from its L1"),
                NodeRequest::ListL1(query) => {
                    let fewer = NodeRequest::ListL1(strata_report::L1Query {
                        limit: (query.limit / FEWER).max(1),
                        ..query.clone()
                    });
                    match self.ask_elsewhere(&NodeRequest::ListL1(query)).await {
                        NodeAnswer::Other => self.ask_elsewhere(&fewer).await,
                        answer => answer,
                    }
                }
                // Without the value, which needs the node's codec, the console sees it itself.
                NodeRequest::LookL2(_) if !self.presence.policy.values => {
                    self.fleet.observer.answer(request).await
                }
                NodeRequest::LookL2(key) => {
                    let request = NodeRequest::LookL2(key);
                    match self.ask_elsewhere(&request).await {
                        NodeAnswer::Failed { .. } | NodeAnswer::Other => {
                            self.fleet.observer.answer(request).await
                        }
                        answer => answer,
                    }
                }
                request => self.ask_elsewhere(&request).await,
            }
        })
    }

    fn shared(&self) -> &dyn SharedRedis {
        &self.fleet.observer
    }

    fn shared_by(&self) -> &str {
        self.fleet.observer.id()
    }

    fn presence(&self) -> Option<&NodePresence> {
        Some(&self.presence)
    }
}

fn failed(error: NodeError) -> NodeAnswer {
    NodeAnswer::Failed { error }
}

fn refused(because: &str) -> NodeAnswer {
    failed(NodeError::Refused { because: because.to_owned() })
}

/// What a node's reply says; [`NodeAnswer::Other`] where it was too large.
fn answer(reply: Reply) -> NodeAnswer {
    let unsupported = |version: String| failed(NodeError::Unsupported { version });
    match reply.state {
        ReplyState::Answered => match serde_json::from_str(&reply.body) {
            Ok(NodeAnswer::Other) | Err(_) => unsupported(reply.strata),
            Ok(answer) => answer,
        },
        ReplyState::Failed => match serde_json::from_str(&reply.body) {
            Ok(NodeAnswer::Failed { error }) => failed(error),
            _ => refused(&reply.because),
        },
        ReplyState::Truncated => NodeAnswer::Other,
        ReplyState::Busy | ReplyState::Refused => refused(&reply.because),
        ReplyState::Unsupported | ReplyState::Other => unsupported(reply.strata),
    }
}
