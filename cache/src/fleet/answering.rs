//! The task that answers asks, apart from the bus: one at a time, what the node's policy allows.

use std::sync::Arc;
use std::time::Duration;

use strata_report::{
    Ask, AskKind, FLEET_PROTOCOL, FleetPolicy, NodeAnswer, NodeError, NodeRequest, Reply,
    ReplyState,
};
use tokio::time::timeout;

use super::gate::{Refusal, Refused};
use super::presence::{FleetHost, Presence};
use super::{form, report, scripts};
use crate::connection::CallError;
use crate::user_code::caught;

/// An answer takes so much less than the console waits, so that it reaches the console.
const ON_THE_WAY_MS: u64 = 100;

/// So many replies lie there for one console at most.
pub(super) const MAX_REPLIES: usize = 4_096;

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
        let now_ms = self.link.bus.clock().now_ms();
        let left_ms = ask.deadline_ms.saturating_sub(now_ms + ON_THE_WAY_MS);
        let answering = Arc::clone(host).answer(request, policy.values);
        // Within what is caught: what ends before its time may panic as well.
        let answering =
            async move { timeout(Duration::from_millis(left_ms), answering).await.ok() };
        let (mut answer, at_least) = match caught(answering).await {
            Ok(Some(answered)) => answered,
            Ok(None) => return failed("it took longer than the console waits".to_owned()),
            Err(panic) => {
                crate::user_code::discard(panic);
                return failed("code of the keys, the values or the source panicked".to_owned());
            }
        };
        if let NodeAnswer::Report(report) = &mut answer
            && !policy.looks
        {
            report::without_key_names(report);
        }
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
        NodeError::NoWriteBehind(name) => format!("{} has no write-behind here", name.cache),
        NodeError::DeadLettersAway(name) => {
            format!("the dead letters of {} cannot be reached", name.cache)
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
    let (is_allowed, because) = match kind {
        AskKind::Details | AskKind::GroupOf => return None,
        AskKind::LookL1
        | AskKind::ListL1
        | AskKind::AmongL1
        | AskKind::MatchL1
        | AskKind::SurveyL1
        | AskKind::EventsOf
        | AskKind::DeadLetters => (policy.looks, "this node lets nobody look into its L1"),
        AskKind::LookL2 => (policy.values, "this node shows no values"),
        AskKind::Refresh => (policy.refreshes, "this node loads nothing for consoles"),
        AskKind::MoveDeadLetters => {
            (policy.moves_dead_letters, "this node moves no dead letters for consoles")
        }
        AskKind::Other => (false, "this node does not know it"),
    };
    (!is_allowed).then_some(because)
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
        let moves = FleetPolicy { moves_dead_letters: true, ..refreshes };
        assert_eq!([reports, looks, values, refreshes, moves].map(allowed), [2, 9, 10, 11, 12]);
        assert!(forbids(looks, AskKind::LookL2).is_some());
        assert!(forbids(values, AskKind::Refresh).is_some());
        assert!(forbids(refreshes, AskKind::MoveDeadLetters).is_some());
    }
}
