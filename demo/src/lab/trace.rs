use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// One step of a lesson, and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the step does, as a sentence.
    pub text: String,
    /// The first lines of its trace.
    pub lines: Vec<TraceLine>,
    /// How many lines followed that were not kept.
    pub left_out: u64,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// When it ended, microseconds since the experiment began.
    pub at_us: u64,
    /// The node that did it, from 1; the database has none.
    pub node: Option<usize>,
    /// Where it was answered.
    pub level: Level,
    /// What was asked, and the answer.
    pub command: String,
    /// How long it took, microseconds.
    pub took_us: u64,
}

/// Where a read or write was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The node's own memory.
    L1,
    /// Redis.
    L2,
    /// The database.
    Source,
    /// Nowhere: it failed.
    Nowhere,
}

/// What happened in one experiment, so much of it that a reader can follow. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Trace {
    state: Arc<Mutex<State>>,
}

struct State {
    began: Instant,
    n_steps: usize,
    steps: Vec<Step>,
}

impl Default for State {
    fn default() -> Self {
        Self { began: Instant::now(), n_steps: 0, steps: Vec::new() }
    }
}

impl Trace {
    const MAX_LINES: usize = 40;
    const MAX_STEPS: usize = 40;

    pub(super) fn step(&self, text: &str) {
        let mut state = self.state();
        state.n_steps += 1;
        if state.steps.len() < Self::MAX_STEPS {
            state.steps.push(Step { text: text.to_owned(), ..Step::default() });
        }
    }

    pub(super) fn n_steps(&self) -> usize {
        self.state().n_steps
    }

    pub(super) fn push(&self, mut line: TraceLine) {
        let mut state = self.state();
        line.at_us = micros(state.began);
        if state.steps.is_empty() {
            state.steps.push(Step::default());
        }
        if let Some(step) = state.steps.last_mut() {
            match step.lines.len() < Self::MAX_LINES {
                true => step.lines.push(line),
                false => step.left_out += 1,
            }
        }
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TraceLine {
    pub(super) fn of(level: Level, node: Option<usize>, command: String, started: Instant) -> Self {
        Self { at_us: 0, node, level, command, took_us: micros(started) }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_read_is_counted() {
        let trace = Trace::default();
        trace.step("One reader asks again and again.");
        for n in 0..100 {
            trace.push(TraceLine::of(Level::L1, Some(1), n.to_string(), Instant::now()));
        }
        let steps = trace.steps();
        assert_eq!((steps[0].lines.len(), steps[0].left_out), (40, 60));
    }
}
