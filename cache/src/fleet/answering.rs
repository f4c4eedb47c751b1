//! The task that answers asks, apart from the bus: one at a time, what the node's policy allows.

use std::sync::Arc;

use strata_report::{Ask, AskKind, FLEET_PROTOCOL, FleetPolicy, Reply, ReplyState};

use super::gate::{Refusal, Refused};
use super::presence::{FleetHost, Presence};
use super::{form, scripts};
use crate::connection::CallError;
use crate::user_code::caught;

/// So many replies lie there for one console at most.
const MAX_REPLIES: usize = 4_096;

/// What a node answers.
pub(crate) struct Answer {
    /// JSON, or why there is none.
    pub(crate) body: Result<String, String>,
    /// The walk over L1 ended before its time.
    pub(crate) at_least: bool,
}

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
        let answering = Arc::clone(host).answer(kind, ask.body.clone(), policy.values);
        self.counts.answered.add();
        let failed = |because| Reply { state: ReplyState::Failed, because, ..self.reply(ask) };
        match caught(answering).await {
            Err(panic) => {
                crate::user_code::discard(panic);
                failed("code of the keys, the values or the source panicked".to_owned())
            }
            Ok(Answer { body: Err(because), .. }) => failed(because),
            Ok(Answer { body: Ok(body), at_least }) => {
                Reply { state: ReplyState::Answered, body, at_least, ..reply }
            }
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
