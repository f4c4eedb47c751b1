//! Reads that L1 cannot answer and L2 can, against the bare commands on a connection of the same
//! kind. All sides decode the same values from the bytes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cmd;
use serde::{Deserialize, Serialize};
use strata_cache::report::Outcome;
use strata_cache::{Cache, Node};

use crate::contest::{Turn, contest, turn};
use crate::redis_server::RedisServer;
use crate::table::Table;

/// Enough that each read is its key's first on the node.
const N_KEYS: u64 = 40_000;
const N_GETS: u64 = 50;
const N_ROUNDS: usize = 200;
const BATCH: u64 = 100;
/// Long enough that a machine that stalls opens no breaker.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    email: String,
    about: String,
    roles: Vec<String>,
}

type Users = Cache<u64, User>;

pub(crate) async fn rows(table: &mut Table, redis: &RedisServer) {
    let [filler, reader] = [node(redis, "l2-filler").await, node(redis, "l2").await];
    let connection = redis.connect().await;
    fill(&users(&filler), &connection).await;
    let users = users(&reader);
    let keys = Keys::default();
    let kept = Kept::new(&connection);
    let turns = [gets_bare(&connection, N_GETS), gets(&users, &keys), kept.gets()];
    let times = contest(N_ROUNDS, turns).await;
    table.at_most(
        "L2 hit : bare GET and decode",
        (times.ratio(1, 0), 1.10),
        times.figures(1, 0, N_GETS),
    );
    table.told(
        "the same : GET, decode and moka insert",
        times.ratio(1, 2),
        times.figures(1, 2, N_GETS),
    );
    let turns = [
        gets_many_bare(&connection),
        gets_bare(&connection, BATCH),
        gets_many(&users, &keys),
        kept.gets_many(),
    ];
    let times = contest(N_ROUNDS, turns).await;
    table.at_most(
        "get_many(100) from L2 : one MGET and decode",
        (times.ratio(2, 0), 1.5),
        times.figures(2, 0, 1),
    );
    table.told(
        "the same : MGET, decode and moka inserts",
        times.ratio(2, 3),
        times.figures(2, 3, 1),
    );
    table.told("100 GETs in turn : one MGET and decode", times.ratio(1, 0), times.figures(1, 0, 1));
    table.at_least(
        "100 GETs in turn : get_many(100) from L2",
        (times.ratio(1, 2), 25.0),
        times.figures(1, 2, 1),
    );
}

/// Keys in order, each once.
#[derive(Default)]
struct Keys(AtomicU64);

impl Keys {
    fn next(&self, n: u64) -> Range<u64> {
        let first = self.0.fetch_add(n, Ordering::Relaxed);
        first..first + n
    }
}

async fn node(redis: &RedisServer, id: &str) -> Node {
    redis.patient_node(id, PATIENCE).await
}

fn users(node: &Node) -> Users {
    let day = Duration::from_secs(24 * 3_600);
    let builder = Cache::builder("users").l1_entries(2 * N_KEYS).l2_time_to_live(day);
    // Longer than L2's timeout, as by default.
    let builder = builder.load_timeout(2 * PATIENCE);
    builder.build(node).expect("a cache")
}

async fn fill(users: &Users, connection: &MultiplexedConnection) {
    let keys: Vec<u64> = (0..N_KEYS).collect();
    for keys in keys.chunks(1_000) {
        let load = |keys: Vec<u64>| async move {
            Ok::<_, Infallible>(
                keys.into_iter().map(|id| (id, user(id))).collect::<HashMap<_, _>>(),
            )
        };
        users.get_many(keys, load).await;
        let mut set = redis::pipe();
        for id in keys {
            let json = serde_json::to_vec(&user(*id)).expect("JSON");
            set.cmd("SET").arg(bare_key(*id)).arg(json).ignore();
        }
        let _: () = set.query_async(&mut connection.clone()).await.expect("an answer");
    }
}

fn user(id: u64) -> User {
    User {
        id,
        name: format!("User number {id}"),
        email: format!("user-{id}@example.org"),
        about: "Likes caches that say what they do. ".repeat(5),
        roles: vec!["reader".to_owned(), "writer".to_owned()],
    }
}

fn bare_key(id: u64) -> String {
    format!("bench:bare:{id}")
}

fn gets<'a>(users: &'a Users, keys: &'a Keys) -> Turn<'a> {
    turn(async || {
        for key in keys.next(N_GETS) {
            let read = users.get_or_load(&key, || async { Ok::<_, Infallible>(None) }).await;
            let read = read.expect("a value");
            assert_eq!(read.outcome, Outcome::L2Hit);
            black_box(read);
        }
    })
}

fn gets_bare<'a>(connection: &'a MultiplexedConnection, n: u64) -> Turn<'a> {
    let keys = Keys::default();
    turn(move || {
        let keys = keys.next(n);
        let mut connection = connection.clone();
        async move {
            for key in keys {
                let get = cmd("GET").arg(bare_key(key % N_KEYS)).to_owned();
                let bytes: Vec<u8> = get.query_async(&mut connection).await.expect("an answer");
                black_box(decode(&bytes));
            }
        }
    })
}

fn gets_many<'a>(users: &'a Users, keys: &'a Keys) -> Turn<'a> {
    turn(move || {
        let keys: Vec<u64> = keys.next(BATCH).collect();
        async move {
            let load = |_| async { Ok::<_, Infallible>(HashMap::new()) };
            let reads = users.get_many(&keys, load).await;
            let outcome = |read: &Result<strata_cache::Read<User>, _>| {
                read.as_ref().is_ok_and(|read| read.outcome == Outcome::L2Hit)
            };
            assert!(reads.iter().all(outcome));
            black_box(reads);
        }
    })
}

fn gets_many_bare<'a>(connection: &'a MultiplexedConnection) -> Turn<'a> {
    let keys = Keys::default();
    turn(move || {
        let mut mget = cmd("MGET");
        for key in keys.next(BATCH) {
            mget.arg(bare_key(key % N_KEYS));
        }
        let mut connection = connection.clone();
        async move {
            let all: Vec<Vec<u8>> = mget.query_async(&mut connection).await.expect("an answer");
            black_box(all.iter().map(|bytes| decode(bytes)).collect::<Vec<_>>());
        }
    })
}

/// The least work that keeps the value: moka, asked first and given the value, with a listener, as
/// a service that counts evictions has.
struct Kept {
    moka: moka::sync::Cache<u64, Arc<User>>,
    connection: MultiplexedConnection,
    keys: Keys,
}

impl Kept {
    fn new(connection: &MultiplexedConnection) -> Self {
        let listener = |_, value, _| {
            black_box(&value);
        };
        let builder = moka::sync::Cache::builder().max_capacity(2 * N_KEYS);
        let moka = builder.eviction_listener(listener).build();
        Self { moka, connection: connection.clone(), keys: Keys::default() }
    }

    fn gets(&self) -> Turn<'_> {
        turn(async || {
            for key in self.keys.next(N_GETS) {
                assert!(self.moka.get(&key).is_none());
                let get = cmd("GET").arg(bare_key(key % N_KEYS)).to_owned();
                let mut connection = self.connection.clone();
                let bytes: Vec<u8> = get.query_async(&mut connection).await.expect("an answer");
                self.moka.insert(key, Arc::new(decode(&bytes)));
            }
        })
    }

    fn gets_many(&self) -> Turn<'_> {
        turn(async || {
            let keys = self.keys.next(BATCH);
            let mut mget = cmd("MGET");
            for key in keys.clone() {
                assert!(self.moka.get(&key).is_none());
                mget.arg(bare_key(key % N_KEYS));
            }
            let mut connection = self.connection.clone();
            let all: Vec<Vec<u8>> = mget.query_async(&mut connection).await.expect("an answer");
            for (key, bytes) in keys.zip(all) {
                self.moka.insert(key, Arc::new(decode(&bytes)));
            }
        })
    }
}

fn decode(bytes: &[u8]) -> User {
    serde_json::from_slice(bytes).expect("a user")
}
