//! The task that answers asks, apart from the bus: one at a time, what the node's policy allows.

use std::sync::Arc;

use strata_report::{
    Ask, AskKind, FLEET_PROTOCOL, FleetPolicy, NodeAnswer, NodeError, NodeRequest, Reply,
    ReplyState,
};

use super::gate::{Refusal, Refused};
use super::presence::{FleetHost, Presence};
use super::{form, scripts};
use crate::connection::CallError;
use crate::user_code::caught;

/// So many replies lie there for one console at most.
const MAX_REPLIES: usize = 4_096;

impl Presence {
    /// Answers for ever: what waits, one after the other, and beside that those that are refused.
    pub(crate) async fn answer(&self, host: Arc<dyn FleetHost>) {
        tokio::join!(self.answer_waiting(&host), self.tell_refused());
    }

    async fn answer_waiting(&self, host: &Arc<dyn FleetHost>) {
        let mut waiting = self.gate.waiting.lock().await;
        while let Some(ask) = waiting.recv().await {
            // It may have waited behind others.
            if ask.deadline_ms <= self.link.bus.clock().now_ms() {
                self.counts.late.add();
                continue;
            }
            let reply = self.reply_to(&ask, host).await;
            self.send(&ask, reply).await;
        }
    }

    async fn tell_refused(&self) {
        let mut refused = self.gate.refused.lock().await;
        while let Some(Refusal { ask, why }) = refused.recv().await {
            let (state, because) = match why {
                Refused::Busy => (ReplyState::Busy, "too many asks wait on this node".to_owned()),
                Refused::Unsigned => {
                    let because = "the ask is not signed with this node's STRATA_FLEET_KEY";
                    (ReplyState::Refused, because.to_owned())
                }
                Refused::Protocol => {
                    let found = ask.protocol;
                    let ours = format!("this node speaks fleet protocol {FLEET_PROTOCOL}");
                    (ReplyState::Unsupported, format!("{ours}, the ask {found}"))
                }
            };
            let reply = Reply { state, because, ..self.reply(&ask) };
            self.send(&ask, reply).await;
        }
    }

    async fn reply_to(&self, ask: &Ask, host: &Arc<dyn FleetHost>) -> Reply {
        let reply = self.reply(ask);
        let kind = AskKind::of(&ask.kind);
        let policy = self.settings.policy();
        if kind == AskKind::Other {
            self.counts.unsupported.add();
            let because = format!("this node's strata-cache {} does not know it", reply.strata);
            return Reply { state: ReplyState::Unsupported, because, ..reply };
        }
        if let Some(because) = forbids(policy, kind) {
            self.counts.forbidden.add();
            let because = because.to_owned();
            return Reply { state: ReplyState::Refused, because, ..reply };
        }
        self.counts.answered.add();
        let failed = |because| Reply { state: ReplyState::Failed, because, ..self.reply(ask) };
        let Some(request) = request(ask) else {
            return failed("its body cannot be read".to_owned());
        };
        let answering = Arc::clone(host).answer(request, policy.values);
        let (answer, at_least) = match caught(answering).await {
            Ok(answered) => answered,
            Err(panic) => {
                crate::user_code::discard(panic);
                return failed("code of the keys, the values or the source panicked".to_owned());
            }
        };
        let Ok(body) = serde_json::to_string(&answer) else {
            return failed("its answer cannot be written".to_owned());
        };
        match &answer {
            NodeAnswer::Failed { error } => Reply { body, ..failed(because(error)) },
            _ => Reply { state: ReplyState::Answered, body, at_least, ..reply },
        }
    }

    fn reply(&self, ask: &Ask) -> Reply {
        Reply {
            protocol: FLEET_PROTOCOL,
            ask: ask.id.clone(),
            node: self.node.clone(),
            run: self.run.clone(),
            strata: env!("CARGO_PKG_VERSION").to_owned(),
            ..Reply::default()
        }
    }

    async fn send(&self, ask: &Ask, reply: Reply) {
        let bytes = form::write(&reply, form::MAX_BYTES).or_else(|| {
            self.counts.truncated.add();
            let because = format!("the answer has more than {} bytes", form::MAX_BYTES);
            let reply = Reply { state: ReplyState::Truncated, because, ..self.reply(ask) };
            form::write(&reply, form::MAX_BYTES)
        });
        let mut send = scripts::REPLY.prepare_invoke();
        send.key(self.names.want()).key(self.names.replies(&ask.console));
        send.arg(&ask.console).arg(MAX_REPLIES).arg(bytes.unwrap_or_default());
        // A console that gets no answer says that the node is silent.
        let _: Result<u64, CallError> = self.ask(&send).await;
    }
}

/// What is asked. The ask's own kind counts, which the policy was asked about.
fn request(ask: &Ask) -> Option<NodeRequest> {
    let mut body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&ask.body).ok()?;
    body.insert("kind".to_owned(), ask.kind.clone().into());
    serde_json::from_value(body.into()).ok()
}

/// As a fragment that fits after "because".
fn because(error: &NodeError) -> String {
    match error {
        NodeError::UnknownCache(name) => format!("the node has no cache {:?}", name.cache),
        NodeError::BadKey(key) => format!("{:?} is no key of {}", key.key, key.cache),
        NodeError::NoKeyText(name) => format!("keys of {} have no text", name.cache),
        NodeError::BadPattern { pattern } => format!("{pattern:?} is no pattern"),
        NodeError::OnlyObserved(name) => format!("{} is only observed", name.cache),
        NodeError::NoLoader(name) => {
            format!("the service has not said how {} is loaded", name.cache)
        }
        NodeError::SourceFailed { why } => format!("the source failed to {why}"),
        NodeError::Refused { because } => because.clone(),
        NodeError::Gone { .. } | NodeError::Unsupported { .. } | NodeError::Other => {
            "this node does not know how".to_owned()
        }
    }
}

/// Why the policy forbids a kind, as a fragment that fits after "because".
fn forbids(policy: FleetPolicy, kind: AskKind) -> Option<&'static str> {
    match kind {
        AskKind::Details | AskKind::GroupOf => None,
        AskKind::LookL2 if !policy.values => Some("this node shows no values"),
        AskKind::Refresh if !policy.refreshes => Some("this node loads nothing for consoles"),
        AskKind::Refresh | AskKind::LookL2 => None,
        _ if !policy.looks => Some("this node lets nobody look into its L1"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_cannot_ask_for_another_kind_than_the_ask() {
        let body = r#"{"kind":"look_l2","cache":"users","key":"1"}"#.to_owned();
        let ask = Ask { kind: "group_of".to_owned(), body, ..Ask::default() };
        assert!(matches!(request(&ask), Some(NodeRequest::GroupOf(_))));
        for body in ["", "[]", "7", "no JSON", r#"{"cache":7}"#] {
            let ask = Ask { body: body.to_owned(), ..ask.clone() };
            assert_eq!(request(&ask), None, "{body}");
        }
    }

    #[test]
    fn each_step_of_the_policy_allows_more() {
        let allowed = |policy: FleetPolicy| {
            AskKind::ALL.iter().filter(|kind| forbids(policy, **kind).is_none()).count()
        };
        let reports = FleetPolicy::default();
        let looks = FleetPolicy { looks: true, ..reports };
        let values = FleetPolicy { values: true, ..looks };
        let refreshes = FleetPolicy { refreshes: true, ..values };
        assert_eq!([reports, looks, values, refreshes].map(allowed), [2, 8, 9, 10]);
        assert!(forbids(looks, AskKind::LookL2).is_some());
        assert!(forbids(values, AskKind::Refresh).is_some());
    }
}
