use std::collections::HashMap;
use std::io::Error;

use proptest::prelude::*;
use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, LoadError, Node, Pattern, Read};

use super::model::{Answer, GRACE, Model, NEGATIVE_TIME_TO_LIVE, RETRY_AFTER, TIME_TO_LIVE};
use super::rows::Rows;
use super::step::{Step, panicking_write, step_or_time};

/// More entries than there are keys, so that none is evicted.
const AMPLE: u64 = 100;

/// A cache, its source, and its model.
struct Machine {
    node: Node,
    cache: Cache<u64, u64>,
    rows: Rows,
    model: Model,
    capacity: u64,
    outcomes: HashMap<Outcome, u64>,
    n_loads: u64,
}

impl Machine {
    async fn new(capacity: u64) -> Self {
        let node = crate::support::lonely_node().await;
        let cache = Cache::builder("rows")
            .l1_only()
            .l1_entries(capacity)
            .time_to_live(TIME_TO_LIVE)
            .negative_time_to_live(NEGATIVE_TIME_TO_LIVE)
            .grace(GRACE)
            .retry_after(RETRY_AFTER)
            .jitter(0.0)
            .build(&node)
            .unwrap();
        let rows = Rows::default();
        let model = Model::new(rows.clone());
        let (outcomes, n_loads) = (HashMap::new(), 0);
        Self { node, cache, rows, model, capacity, outcomes, n_loads }
    }

    async fn run(&mut self, steps: &[Step]) {
        for (nth, step) in steps.iter().enumerate() {
            self.take(step, nth).await;
            self.after_upkeep().await;
        }
        self.adds_up();
    }

    async fn take(&mut self, step: &Step, nth: usize) {
        let rows = self.rows.clone();
        let (cache, model) = (&self.cache, &mut self.model);
        let mut expected_loads = Vec::new();
        let (found, expected) = match step {
            Step::Get(key) => (vec![answer(Ok(cache.get(key).await))], vec![model.get(*key)]),
            Step::GetOrLoad(key) => {
                let (expected, asked) = model.get_or_load(&[*key]);
                expected_loads.extend((!asked.is_empty()).then_some(asked));
                let key = *key;
                (vec![answer(cache.get_or_load(&key, move || rows.load(key)).await)], expected)
            }
            Step::GetMany(keys) => {
                let (expected, asked) = model.get_or_load(keys);
                expected_loads.extend((!asked.is_empty()).then_some(asked));
                let found = cache.get_many(keys, |missing| rows.load_many(missing)).await;
                (found.into_iter().map(answer).collect(), expected)
            }
            Step::Bypass(key) => {
                expected_loads.push(vec![*key]);
                let expected = match rows.is_down() {
                    true => Answer::without_entry(Outcome::Failed),
                    false => Answer::bypassed(rows.row(*key)),
                };
                (vec![answer(cache.bypass(rows.load(*key)).await)], vec![expected])
            }
            change => {
                self.change(change).await;
                (Vec::new(), Vec::new())
            }
        };
        // Lets refreshes in the background run to their end. No time passes.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let asked = self.rows.take_asked();
        assert_eq!(found, expected, "step {nth}, {step:?}");
        assert_eq!(asked, expected_loads, "what the source was asked at step {nth}, {step:?}");
        self.n_loads += if matches!(step, Step::Bypass(_)) { 0 } else { asked.len() as u64 };
        for answer in found {
            *self.outcomes.entry(answer.outcome).or_default() += 1;
        }
    }

    async fn change(&mut self, step: &Step) {
        let (cache, model, rows) = (&self.cache, &mut self.model, &self.rows);
        let effect = match step {
            Step::Insert(key) => {
                let version = rows.commit(*key);
                model.put(*key, Some(version));
                cache.insert(key, version).await
            }
            Step::WriteThrough(key) => {
                let (own, key) = (rows.clone(), *key);
                let write = async move { Ok::<_, Error>(own.commit(key)) };
                let (version, effect) = cache.write_through(&key, write).await.unwrap();
                model.put(key, Some(*version));
                effect
            }
            Step::FailingWrite(key) => {
                let refused = async { Err::<u64, _>(Error::other("refused")) };
                cache.write_through(key, refused).await.unwrap_err();
                model.invalidate(*key);
                Effect::Off
            }
            Step::LostWrite(key) => {
                rows.commit(*key);
                let lost = async { Err::<u64, _>(Error::other("no answer")) };
                cache.write_through(key, lost).await.unwrap_err();
                model.invalidate(*key);
                Effect::Off
            }
            Step::PanickingWrite(key) => {
                rows.commit(*key);
                panicking_write(cache, *key).await;
                model.invalidate(*key);
                Effect::Off
            }
            Step::Invalidate(key) => {
                rows.commit(*key);
                model.invalidate(*key);
                cache.invalidate(key).await
            }
            Step::InvalidateSoftly(key) => {
                rows.commit(*key);
                model.soften(*key);
                cache.invalidate_softly(key).await
            }
            Step::InvalidatePattern(text) => {
                let pattern = Pattern::parse(text).unwrap();
                model.invalidate_pattern(&pattern);
                cache.invalidate_pattern(&pattern).await
            }
            Step::Clear => {
                model.entries.clear();
                cache.clear().await
            }
            step => {
                self.outside(step).await;
                Effect::Off
            }
        };
        assert_eq!(effect, Effect::Off);
    }

    /// Steps that happen without the cache's knowledge.
    async fn outside(&mut self, step: &Step) {
        match step {
            Step::Commit(key) => drop(self.rows.commit(*key)),
            Step::Delete(key) => self.rows.delete(*key),
            Step::SourceFails => self.rows.set_down(true),
            Step::SourceRecovers => self.rows.set_down(false),
            Step::Advance(by) => {
                tokio::time::advance(*by).await;
                self.model.advance(*by);
            }
            _ => {}
        }
    }

    /// Checks L1's capacity. The model forgets the entries that L1 evicted to keep it.
    async fn after_upkeep(&mut self) {
        self.node.upkeep().await;
        let entries = self.cache.report().l1.entries;
        assert!(entries <= self.capacity, "{entries} entries in L1 of {}", self.capacity);
        if self.capacity < AMPLE {
            let keys: Vec<u64> = self.model.entries.keys().copied().collect();
            for key in keys {
                if self.node.look_l1("rows", &key.to_string()).await.unwrap().is_none() {
                    self.model.entries.remove(&key);
                }
            }
        }
    }

    fn adds_up(&self) {
        let report = self.cache.report();
        for outcome in Outcome::ALL {
            let seen = self.outcomes.get(&outcome).copied().unwrap_or_default();
            assert_eq!(report.outcomes.get(outcome), seen, "reads that ended as {outcome:?}");
        }
        let loads = report.loads;
        let counted = loads.success.count() + loads.failure.count();
        assert_eq!((counted, loads.in_flight), (self.n_loads, 0), "loads");
    }
}

fn answer(read: Result<Read<u64>, LoadError>) -> Answer {
    match read {
        Ok(Read { value, outcome, age, expires_in }) => {
            Answer { outcome, value: value.map(|value| *value), age, expires_in }
        }
        Err(_) => Answer::without_entry(Outcome::Failed),
    }
}

fn run(capacity: u64, steps: &[Step]) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { Machine::new(capacity).await.run(steps).await });
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_cache_answers_as_its_model_does(
        steps in proptest::collection::vec(step_or_time(), 1..60),
    ) {
        run(AMPLE, &steps);
    }

    #[test]
    fn a_cache_that_evicts_answers_as_its_model_does(
        capacity in 1..5u64,
        steps in proptest::collection::vec(step_or_time(), 1..60),
    ) {
        run(capacity, &steps);
    }
}
