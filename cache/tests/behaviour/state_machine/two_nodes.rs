use std::collections::HashMap;
use std::io::Error;
use std::time::Duration;

use proptest::prelude::*;
use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Node, Pattern, Read};

use super::rows::Rows;
use super::step::{KEYS, Step, panicking_write, step};
use crate::support::{Redis, eventually};

/// One cache on two nodes. Both nodes hear each change before the next step.
struct Pair {
    nodes: [Node; 2],
    caches: [Cache<u64, u64>; 2],
    rows: Rows,
    /// The version below which a read counts as too old.
    floors: HashMap<u64, u64>,
    n_reads: u64,
}

impl Pair {
    fn new(nodes: &[Node; 2], name: &str, schemas: [u16; 2]) -> Self {
        let build = |place: usize| {
            let cache = Cache::builder(name).grace(Duration::from_secs(600));
            cache.schema(schemas[place]).build(&nodes[place]).unwrap()
        };
        let caches = [build(0), build(1)];
        let (rows, floors) = (Rows::default(), HashMap::new());
        Self { nodes: nodes.clone(), caches, rows, floors, n_reads: 0 }
    }

    async fn take(&mut self, place: usize, step: &Step) {
        let (cache, rows) = (self.caches[place].clone(), self.rows.clone());
        match step.clone() {
            Step::Get(key) => self.check(key, Ok(cache.get(&key).await)),
            Step::GetOrLoad(key) => {
                self.check(key, cache.get_or_load(&key, move || rows.load(key)).await);
            }
            Step::GetMany(keys) => {
                let reads = cache.get_many(&keys, |missing| rows.load_many(missing)).await;
                for (key, read) in keys.into_iter().zip(reads) {
                    self.check(key, read);
                }
            }
            Step::Bypass(key) => self.check(key, cache.bypass(rows.load(key)).await),
            Step::Commit(key) => drop(rows.commit(key)),
            Step::Delete(_) | Step::Advance(_) => {}
            Step::SourceFails => rows.set_down(true),
            Step::SourceRecovers => rows.set_down(false),
            change => {
                self.change(&cache, change).await;
                self.is_heard().await;
            }
        }
    }

    async fn change(&mut self, cache: &Cache<u64, u64>, change: Step) {
        let rows = self.rows.clone();
        match change {
            Step::Insert(key) => {
                let version = rows.commit(key);
                cache.insert(&key, version).await;
                self.acknowledged(|other| other == key);
            }
            Step::WriteThrough(key) => {
                let write = async move { Ok::<_, Error>(rows.commit(key)) };
                cache.write_through(&key, write).await.unwrap();
                self.acknowledged(|other| other == key);
            }
            Step::FailingWrite(key) => {
                let refused = async { Err::<u64, _>(Error::other("refused")) };
                cache.write_through(&key, refused).await.unwrap_err();
            }
            Step::LostWrite(key) => {
                rows.commit(key);
                let lost = async { Err::<u64, _>(Error::other("no answer")) };
                cache.write_through(&key, lost).await.unwrap_err();
                self.acknowledged(|other| other == key);
            }
            Step::PanickingWrite(key) => {
                rows.commit(key);
                panicking_write(cache, key).await;
                self.acknowledged(|other| other == key);
            }
            Step::Invalidate(key) => {
                rows.commit(key);
                cache.invalidate(&key).await;
                self.acknowledged(|other| other == key);
            }
            Step::InvalidateSoftly(key) => {
                rows.commit(key);
                cache.invalidate_softly(&key).await;
            }
            Step::InvalidatePattern(text) => {
                let pattern = Pattern::parse(text).unwrap();
                cache.invalidate_pattern(&pattern).await;
                self.acknowledged(|key| pattern.matches(&key.to_string()));
            }
            _ => {
                cache.clear().await;
                self.acknowledged(|_| true);
            }
        }
    }

    fn acknowledged(&mut self, concerns: impl Fn(u64) -> bool) {
        for key in KEYS.into_iter().filter(|key| concerns(*key)) {
            self.floors.insert(key, self.rows.row(key).unwrap_or_default());
        }
    }

    async fn is_heard(&self) {
        let sequence = self.nodes[0].bus_sequence().await.expect("Redis is there");
        for node in &self.nodes {
            assert!(node.has_heard(sequence, Duration::from_secs(10)).await, "the bus is silent");
        }
    }

    fn check(&mut self, key: u64, read: Result<Read<u64>, LoadError>) {
        self.n_reads += 1;
        let Ok(read) = read else {
            assert!(self.rows.is_down(), "{key}: the read failed though the source did not");
            return;
        };
        if read.outcome == Outcome::Missed {
            return;
        }
        let version = read.value.map_or(0, |version| *version);
        let floor = self.floors.get(&key).copied().unwrap_or_default();
        let row = self.rows.row(key).unwrap_or_default();
        assert!(
            (floor..=row).contains(&version),
            "{key}: read {version} as {:?}, after {floor} was acknowledged and while the row was {row}",
            read.outcome
        );
    }

    /// Invalidates everything, then checks that both nodes agree with the source.
    async fn settle(&mut self) {
        self.rows.set_down(false);
        self.take(0, &Step::Clear).await;
        for (key, place) in KEYS.into_iter().zip([0, 1].into_iter().cycle()) {
            self.take(place, &Step::GetOrLoad(key)).await;
            self.take(1 - place, &Step::GetOrLoad(key)).await;
        }
        let reads: u64 = self.caches.iter().map(|cache| cache.report().outcomes.reads()).sum();
        assert_eq!(reads, self.n_reads, "outcomes do not add up to the reads");
        eventually("no load is left", async || {
            self.caches.iter().all(|cache| cache.report().loads.in_flight == 0)
        })
        .await;
    }
}

#[test]
fn no_read_on_two_nodes_is_older_than_what_both_have_heard() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let redis = runtime.block_on(Redis::start());
    let nodes =
        runtime.block_on(async { [redis.hearing_node("1").await, redis.hearing_node("2").await] });
    let config =
        ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let steps = proptest::collection::vec((0..2usize, step()), 1..40);
    let nth = std::cell::Cell::new(0);
    proptest!(config, |(steps in steps)| {
        nth.set(nth.get() + 1);
        // One version of the program, and two during a deploy.
        let schemas = [[0, 0], [0, 2], [1, 2]][nth.get() % 3];
        let mut pair = Pair::new(&nodes, &format!("rows-{}", nth.get()), schemas);
        runtime.block_on(async {
            for (place, step) in &steps {
                pair.take(*place, step).await;
            }
            pair.settle().await;
        });
    });
}
