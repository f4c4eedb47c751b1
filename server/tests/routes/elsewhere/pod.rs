//! A process of a service: this test program, started again as a node.

use std::env;
use std::io::{Write, stdout};
use std::process::Stdio;
use std::time::Duration;

use strata_cache::{Cache, Fleet, Node};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::PATIENCE;

/// What tells the process which node it is, and where its Redis is.
const NODE: &str = "POD_NODE";
const REDIS: &str = "POD_REDIS";
const OF: &str = "POD_NAMESPACE";

/// What stands before each of its answers; the test program prints lines of its own.
const SAYS: &str = "pod: ";

/// The namespace of the pods.
pub(super) const NAMESPACE: &str = "shop";

/// A process of the service that reads keys 1 to 10 of `users` again and again.
pub(super) struct Pod {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Pod {
    pub(super) async fn start(redis_url: &str, node: &str) -> Self {
        Self::start_of(NAMESPACE, redis_url, node).await
    }

    /// One of another service.
    pub(super) async fn start_of(namespace: &str, redis_url: &str, node: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "elsewhere::pod::process_of_a_pod", "--ignored", "--nocapture"])
            .env(NODE, node)
            .env(REDIS, redis_url)
            .env(OF, namespace)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut pod = Self { child, orders, answers };
        assert_eq!(pod.answer().await, "started");
        pod
    }

    /// Whether L1 of the process has a fresh entry of the key.
    pub(super) async fn has(&mut self, key: u64) -> bool {
        self.order(&format!("has {key}")).await == "true"
    }

    /// Reads a key as the service does.
    pub(super) async fn read(&mut self, key: u64) {
        assert_eq!(self.order(&format!("read {key}")).await, "read");
    }

    /// Ends it without a goodbye.
    pub(super) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    async fn order(&mut self, order: &str) -> String {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> String {
        let answer = async {
            loop {
                let line = self.answers.next_line().await.unwrap().unwrap();
                if let Some((_, answer)) = line.split_once(SAYS) {
                    return answer.to_owned();
                }
            }
        };
        timeout(PATIENCE, answer).await.unwrap()
    }
}

fn say(text: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{SAYS}{text}").unwrap();
    out.flush().unwrap();
}

async fn read(users: &Cache<u64, String>, key: u64) {
    let load = move || async move { Ok::<_, std::io::Error>(Some(format!("of {key}"))) };
    users.get_or_load(&key, load).await.unwrap();
}

/// The process itself. It ends when whoever started it does.
#[tokio::test]
#[ignore = "a process that other tests start"]
async fn process_of_a_pod() {
    let (Ok(id), Ok(redis_url)) = (env::var(NODE), env::var(REDIS)) else { return };
    let namespace = env::var(OF).unwrap();
    let node = Node::builder(&namespace)
        .id(&id)
        .app(&format!("{namespace}-api"), "2.0")
        .redis_url(&redis_url)
        .fleet(Fleet::default())
        .start()
        .await
        .unwrap();
    let users = Cache::builder("users").l1_entries(1_000);
    let users =
        users.time_to_live(Duration::from_secs(3600)).l2_time_to_live(Duration::from_secs(3600));
    let users: Cache<u64, String> = users.build(&node).unwrap();
    let traffic = users.clone();
    tokio::spawn(async move {
        for key in (1..=10).cycle() {
            read(&traffic, key).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    say("started");
    let (sender, mut orders) = tokio::sync::mpsc::channel(8);
    std::thread::spawn(move || {
        for order in std::io::stdin().lines() {
            sender.blocking_send(order.unwrap()).unwrap();
        }
    });
    while let Some(order) = orders.recv().await {
        let (verb, key) = order.split_once(' ').unwrap();
        let key: u64 = key.parse().unwrap();
        if verb == "read" {
            read(&users, key).await;
            say("read");
        } else {
            let looked = node.look_l1("users", &key.to_string()).await.unwrap();
            say(if looked.is_some_and(|entry| entry.fresh) { "true" } else { "false" });
        }
    }
}
