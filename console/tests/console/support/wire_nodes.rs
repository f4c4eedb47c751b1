//! Nodes as they stand in Redis, written there word by word: of any version, under any id, and as
//! talkative as a test wants.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strata_report::{
    Ask, CacheReport, EntryLook, FleetPolicy, FleetReport, NodeAnswer, NodeCard, NodeReport, Reply,
    ReplyState,
};
use strata_testing::RedisServer;
use tokio::task::JoinHandle;

/// What a node does that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It has every key in L1.
    Answers,
    /// It beats and says nothing.
    Silent,
    /// Of an earlier version, which knows of no asks of that kind.
    Older,
}

/// A node of a namespace.
#[derive(Clone, Debug)]
pub(crate) struct WireNode {
    pub(crate) namespace: &'static str,
    pub(crate) id: String,
    /// The runs that call themselves by its id; more than one take turns.
    pub(crate) runs: Vec<&'static str>,
    pub(crate) manner: Manner,
    /// What lies where its card should, instead of it.
    pub(crate) card: Option<&'static str>,
}

impl WireNode {
    pub(crate) fn new(id: &str, manner: Manner) -> Self {
        let (id, runs) = (id.to_owned(), vec!["first"]);
        Self { namespace: "shop", id, runs, manner, card: None }
    }

    fn key(&self, name: &str) -> String {
        format!("{{{}}}!fleet:{name}", self.namespace)
    }

    fn card(&self, run: &str) -> String {
        let card = NodeCard {
            protocol: 1,
            node: self.id.clone(),
            run: run.to_owned(),
            app: "shop-api".to_owned(),
            strata: self.strata().to_owned(),
            policy: FleetPolicy { looks: true, ..FleetPolicy::default() },
            interval_ms: 1_000,
            ..NodeCard::default()
        };
        self.card.map_or_else(|| plain(&card), str::to_owned)
    }

    fn report(&self, run: &str) -> String {
        let cache = CacheReport { cache: "users".to_owned(), ..CacheReport::default() };
        let report =
            NodeReport { node: self.id.clone(), caches: vec![cache], ..Default::default() };
        let run = run.to_owned();
        plain(&FleetReport { protocol: 1, run, interval_ms: 1_000, report, ..Default::default() })
    }

    fn strata(&self) -> &'static str {
        if self.manner == Manner::Older { "0.0.9" } else { "0.1.0" }
    }

    fn reply(&self, ask: &Ask) -> Option<Reply> {
        let (entry, state) = (EntryLook { fresh: true, ..EntryLook::default() }, self.manner);
        let (state, body) = match state {
            Manner::Silent => return None,
            Manner::Older => (ReplyState::Unsupported, String::new()),
            Manner::Answers => {
                let answer = NodeAnswer::Entry { entry: Some(entry) };
                (ReplyState::Answered, serde_json::to_string(&answer).unwrap())
            }
        };
        Some(Reply {
            protocol: 1,
            ask: ask.id.clone(),
            node: self.id.clone(),
            strata: self.strata().to_owned(),
            state,
            body,
            ..Reply::default()
        })
    }
}

/// As the first form has it, without compression.
fn plain(value: &impl serde::Serialize) -> String {
    format!("\u{1}\0{}", serde_json::to_string(value).unwrap())
}

/// Beats for the nodes and answers for them, until it is dropped.
pub(crate) struct WireNodes(JoinHandle<()>);

impl Drop for WireNodes {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl WireNodes {
    pub(crate) fn start(redis: &Arc<RedisServer>, nodes: Vec<WireNode>) -> Self {
        let redis = Arc::clone(redis);
        Self(tokio::spawn(async move {
            let mut seen = HashMap::new();
            let began = Instant::now();
            loop {
                // No whole number of the seconds in which a console looks, so that it sees each run.
                let turn = began.elapsed().as_millis() / 1_300;
                for node in &nodes {
                    beat(&redis, node, turn as usize).await;
                    answer(&redis, node, &mut seen).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }))
    }
}

const BEAT: &str = "local time = redis.call('TIME')
    redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
    redis.call('SET', KEYS[2], ARGV[2], 'PX', 60000)
    redis.call('SET', KEYS[3], ARGV[3], 'PX', 5000)
    return 1";

async fn beat(redis: &RedisServer, node: &WireNode, turn: usize) {
    let run = node.runs[turn % node.runs.len()];
    let (nodes, id) = (node.key("nodes"), &*node.id);
    let (card, now) = (node.key(&format!("card:{id}")), node.key(&format!("now:{id}")));
    let words = ["EVAL", BEAT, "3", &nodes, &card, &now, id, &node.card(run), &node.report(run)];
    let _: u64 = redis.ask(&words).await;
}

type Entries = Vec<(String, HashMap<String, String>)>;

/// Answers what is asked of all and of this node since it looked last.
async fn answer(redis: &RedisServer, node: &WireNode, seen: &mut HashMap<String, String>) {
    for stream in [node.key("asks"), node.key(&format!("asks:{}", node.id))] {
        let place = format!("{stream} {}", node.id);
        let after = seen.get(&place).map_or("-".to_owned(), |last| format!("({last}"));
        let entries: Entries = redis.ask(&["XRANGE", &stream, &after, "+"]).await;
        for (at, fields) in entries {
            seen.insert(place.clone(), at);
            let ask: Ask = serde_json::from_str(&fields["a"][2..]).unwrap();
            if let Some(reply) = node.reply(&ask) {
                let replies = node.key(&format!("replies:{}", ask.console));
                let _: String = redis.ask(&["XADD", &replies, "*", "r", &plain(&reply)]).await;
                let _: u64 = redis.ask(&["PEXPIRE", &replies, "60000"]).await;
            }
        }
    }
}
