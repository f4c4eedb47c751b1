//! What a console asks, and how it waits for answers: some of them are the normal case.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_report::{Ask, FLEET_PROTOCOL, NodeId, Reply};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

use super::client::{FleetClient, MAX_NODES};
use crate::clock::millis;
use crate::connection::CallError;
use crate::fleet::presence::ask;
use crate::fleet::{form, scripts};

/// The longest pause between two answers.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

/// And so long at most.
const AT_MOST: Duration = Duration::from_secs(1);

/// So many asks to all, and to one node, lie there at most.
const KEPT_TO_ALL: usize = 256;
const KEPT_TO_ONE: usize = 64;

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskTo<'a> {
    /// Every node that is up or late.
    All,
    /// One node.
    Node(&'a str),
}

/// Why nothing was asked or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Redis does not answer.
    #[error("reach Redis")]
    Away,
    /// Redis refuses.
    #[error("ask through Redis: it answers {0}")]
    Refused(String),
    /// What is asked is too large.
    #[error("ask with more than {} bytes", form::MAX_ASK_BYTES)]
    TooLarge,
}

impl From<CallError> for AskError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Away => Self::Away,
            CallError::Refused(answer) => Self::Refused(answer.to_string()),
        }
    }
}

/// A node that did not answer in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentNode {
    /// Its id.
    pub node: NodeId,
    /// Since its last beat as of the last [`FleetClient::poll`], milliseconds; `None` where it was
    /// never heard.
    pub heard_ms_ago: Option<u64>,
}

/// Who answered an ask and who did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// How many nodes were asked.
    pub asked: usize,
    /// What they answered, as it came.
    pub replies: Vec<Reply>,
    /// Those that did not answer.
    pub silent: Vec<SilentNode>,
}

/// So many silent nodes are named.
const MOST_NAMED: usize = 8;

/// As a sentence: "9 of 10 nodes answered; silent: pod-7 (last heard 4 s ago)". Of many that are
/// silent eight are named.
impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} nodes answered", self.replies.len(), self.asked)?;
        for (n, silent) in self.silent.iter().take(MOST_NAMED).enumerate() {
            write!(f, "{} {}", if n == 0 { "; silent:" } else { "," }, silent.node)?;
            match silent.heard_ms_ago {
                Some(ms) => write!(f, " (last heard {} s ago)", ms / 1_000)?,
                None => write!(f, " (never heard)")?,
            }
        }
        match self.silent.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            others => write!(f, " and {others} more"),
        }
    }
}

/// The asks whose answers are waited for.
#[derive(Default)]
pub(super) struct PendingAsks {
    by_id: Mutex<HashMap<String, mpsc::Sender<Reply>>>,
    pub(super) begun: Notify,
}

impl PendingAsks {
    fn begin(&self, id: &str) -> mpsc::Receiver<Reply> {
        // Each known node may answer before anybody takes an answer.
        let (sender, receiver) = mpsc::channel(MAX_NODES);
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), sender);
        self.begun.notify_one();
        receiver
    }

    fn end(&self, id: &str) {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(super) fn has_any(&self) -> bool {
        !self.by_id.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Hands an answer to who waits for it; one that comes too late is for nobody.
    pub(super) fn take(&self, reply: Reply) {
        let by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = by_id.get(&reply.ask) {
            let _ = sender.try_send(reply);
        }
    }
}

/// Ends the wait for an ask, however it ends.
struct PendingAskGuard<'a>(&'a PendingAsks, String);

impl Drop for PendingAskGuard<'_> {
    fn drop(&mut self) {
        self.0.end(&self.1);
    }
}

impl FleetClient {
    /// Asks one node or all that are up or late as of the last [`poll`](Self::poll). `kind` is one
    /// of [`AskKind`](strata_report::AskKind), `body` is JSON, and `actor` is who asks. Signed where
    /// there is a key.
    ///
    /// Waits until all have answered, until 300 ms pass without an answer after one has come, or for
    /// one second. Later answers are dropped. Nothing is remembered of those that were silent.
    ///
    /// # Errors
    /// Where nothing could be asked.
    pub async fn ask(
        &self,
        to: AskTo<'_>,
        kind: &str,
        body: &str,
        actor: &str,
    ) -> Result<Replies, AskError> {
        let console = &*self.inner;
        let expected = match to {
            AskTo::Node(node) => vec![node.to_owned()],
            AskTo::All => console.answering(),
        };
        let mut asked = Ask {
            protocol: FLEET_PROTOCOL,
            id: format!("{:016x}", rand::random::<u64>()),
            console: console.id.clone(),
            to: match to {
                AskTo::Node(node) => Some(node.to_owned()),
                AskTo::All => None,
            },
            actor: actor.to_owned(),
            kind: kind.to_owned(),
            body: body.to_owned(),
            deadline_ms: console.link.bus.clock().now_ms() + millis(AT_MOST),
            signature: String::new(),
        };
        if let Some(key) = &console.key {
            asked.signature = key.sign(console.names.namespace(), &asked);
        }
        let bytes = form::write(&asked, form::MAX_ASK_BYTES).ok_or(AskError::TooLarge)?;
        let mut receiver = console.pending.begin(&asked.id);
        let _waits = PendingAskGuard(&console.pending, asked.id.clone());
        let mut script = scripts::ASK.prepare_invoke();
        match to {
            AskTo::Node(node) => {
                script.key(console.names.asks_of(node)).arg(KEPT_TO_ONE).arg(bytes);
            }
            AskTo::All => {
                script.key(console.names.asks()).arg(KEPT_TO_ALL).arg(bytes);
            }
        }
        ask::<u64>(&console.link, &script).await?;
        let replies = collect(&mut receiver, &expected).await;
        let mut silent = Vec::new();
        let answered: HashSet<&str> = replies.iter().map(|reply| &*reply.node).collect();
        for node in expected.iter().filter(|node| !answered.contains(&***node)) {
            let heard_ms_ago = console.heard_ms_ago(node);
            silent.push(SilentNode { node: node.clone(), heard_ms_ago });
        }
        Ok(Replies { asked: replies.len() + silent.len(), replies, silent })
    }
}

/// One answer of each node, until all of them, or as many as there are in time.
async fn collect(receiver: &mut mpsc::Receiver<Reply>, expected: &[String]) -> Vec<Reply> {
    let began = Instant::now();
    let mut replies: Vec<Reply> = Vec::new();
    let mut missing: HashSet<&str> = expected.iter().map(String::as_str).collect();
    let mut answered: HashSet<NodeId> = HashSet::new();
    let latest = began + AT_MOST;
    let mut until = latest;
    loop {
        if missing.is_empty() && !expected.is_empty() {
            return replies;
        }
        match timeout_at(until, receiver.recv()).await {
            Ok(Some(reply)) if !answered.insert(reply.node.clone()) => {}
            Ok(Some(reply)) => {
                missing.remove(&*reply.node);
                until = latest.min(Instant::now() + LONGEST_PAUSE);
                replies.push(reply);
            }
            Ok(None) | Err(_) => return replies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(node: &str) -> Reply {
        Reply { node: node.to_owned(), ..Reply::default() }
    }

    fn names(nodes: &[&str]) -> Vec<String> {
        nodes.iter().map(|node| (*node).to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_waited_for_until_all_have_come_or_it_takes_too_long() {
        let (sender, mut receiver) = mpsc::channel(8);
        let expected = names(&["a", "b"]);
        for node in ["a", "a", "b"] {
            sender.send(reply(node)).await.unwrap();
        }
        let began = Instant::now();
        assert_eq!(collect(&mut receiver, &expected).await.len(), 2);
        assert_eq!(began.elapsed(), Duration::ZERO);
        sender.send(reply("a")).await.unwrap();
        assert_eq!(collect(&mut receiver, &expected).await.len(), 1);
        assert_eq!(began.elapsed(), LONGEST_PAUSE);
        let began = Instant::now();
        assert!(collect(&mut receiver, &expected).await.is_empty());
        assert_eq!(began.elapsed(), AT_MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn others_are_waited_for_from_the_last_answer_on_and_never_longer_than_a_second() {
        for (first_ms, over_ms) in [(500, 800), (900, 1_000)] {
            let (sender, mut receiver) = mpsc::channel(8);
            let answering = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(first_ms)).await;
                sender.send(reply("a")).await.unwrap();
                std::future::pending::<()>().await;
            });
            let began = Instant::now();
            assert_eq!(collect(&mut receiver, &names(&["a", "b"])).await.len(), 1);
            assert_eq!(began.elapsed(), Duration::from_millis(over_ms), "{first_ms}");
            answering.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_answers_keep_coming_more_are_waited_for() {
        let (sender, mut receiver) = mpsc::channel(8);
        let answering = tokio::spawn(async move {
            for node in ["a", "b", "c"] {
                tokio::time::sleep(Duration::from_millis(250)).await;
                sender.send(reply(node)).await.unwrap();
            }
        });
        let replies = collect(&mut receiver, &names(&["a", "b", "c"])).await;
        assert_eq!(replies.len(), 3);
        answering.await.unwrap();
    }

    #[test]
    fn as_many_answers_wait_to_be_taken_as_nodes_are_known() {
        let pending = PendingAsks::default();
        let receiver = pending.begin("ask");
        for _ in 0..MAX_NODES {
            pending.take(Reply { ask: "ask".to_owned(), ..reply("a") });
        }
        assert_eq!(receiver.len(), MAX_NODES);
    }

    #[test]
    fn of_many_that_are_silent_a_few_are_named() {
        let silent = |n| SilentNode { node: format!("pod-{n}"), heard_ms_ago: Some(4_000) };
        let silent = (0..1_000).map(silent).collect();
        let said = Replies { asked: 1_000, replies: Vec::new(), silent }.to_string();
        assert!(said.starts_with("0 of 1000 nodes answered; silent: pod-0 ("), "{said}");
        assert!(said.ends_with("pod-7 (last heard 4 s ago) and 992 more"), "{said}");
    }

    #[test]
    fn a_result_says_who_was_silent() {
        let silent = |node: &str, heard_ms_ago| SilentNode { node: node.to_owned(), heard_ms_ago };
        let mut replies = Replies { asked: 10, replies: vec![reply("a"); 9], silent: Vec::new() };
        replies.silent.push(silent("pod-7", Some(4_321)));
        let said = "9 of 10 nodes answered; silent: pod-7 (last heard 4 s ago)";
        assert_eq!(replies.to_string(), said);
        replies.silent.push(silent("pod-8", None));
        assert_eq!(replies.to_string(), format!("{said}, pod-8 (never heard)"));
    }
}
