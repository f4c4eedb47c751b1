use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// One step of a lesson, and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the step does, as a sentence.
    pub text: String,
    /// The first lines of its trace.
    pub lines: Vec<TraceLine>,
    /// How many reads and writes followed that were not kept.
    pub left_out: u64,
    /// How many commands followed that were not kept.
    #[serde(default)]
    pub commands_left_out: u64,
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
    /// What caused it.
    #[serde(default)]
    pub kind: LineKind,
}

/// What caused a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The script of the lesson: a read, a write, or something that it breaks.
    #[default]
    Request,
    /// A request, which asked Redis or the database.
    Command,
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
pub(crate) struct Trace {
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
    const MAX_REQUESTS: usize = 40;
    const MAX_COMMANDS: usize = 100;
    const MAX_STEPS: usize = 40;

    pub(crate) fn step(&self, text: &str) {
        let mut state = self.state();
        state.n_steps += 1;
        if state.steps.len() < Self::MAX_STEPS {
            state.steps.push(Step { text: text.to_owned(), ..Step::default() });
        }
    }

    pub(crate) fn n_steps(&self) -> usize {
        self.state().n_steps
    }

    pub(crate) fn push(&self, ended: EndedLine) {
        let EndedLine { mut line, at } = ended;
        let mut state = self.state();
        line.at_us = micros(at - state.began);
        if state.steps.is_empty() {
            // The nodes are starting. The script has not asked for anything.
            if line.kind == LineKind::Command {
                return;
            }
            let text = "Before the first step".to_owned();
            state.steps.push(Step { text, ..Step::default() });
        }
        if let Some(step) = state.steps.last_mut() {
            step.push(line);
        }
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step {
    fn push(&mut self, line: TraceLine) {
        let commands = self.lines.iter().filter(|line| line.kind == LineKind::Command);
        let n_commands = commands.count();
        // Commands come before the request that they are for: this one's would have no room.
        let is_full = self.lines.len() - n_commands == Trace::MAX_REQUESTS;
        match line.kind {
            LineKind::Request if is_full => self.left_out += 1,
            LineKind::Command if is_full || n_commands == Trace::MAX_COMMANDS => {
                self.commands_left_out += 1;
            }
            _ => self.lines.push(line),
        }
    }
}

impl TraceLine {
    /// What the script of a lesson asked for.
    pub(crate) fn of(
        level: Level,
        node: Option<usize>,
        command: String,
        started: Instant,
    ) -> EndedLine {
        let (at, kind) = (Instant::now(), LineKind::Request);
        let took_us = micros(at - started);
        EndedLine { line: Self { at_us: 0, node, level, command, took_us, kind }, at }
    }

    /// What that made a node ask Redis or the database.
    pub(crate) fn command(
        level: Level,
        node: Option<usize>,
        command: String,
        started: Instant,
    ) -> EndedLine {
        let EndedLine { line, at } = Self::of(level, node, command, started);
        EndedLine { line: Self { kind: LineKind::Command, ..line }, at }
    }

    /// When it began, microseconds since the experiment did.
    pub fn began_us(&self) -> u64 {
        self.at_us.saturating_sub(self.took_us)
    }
}

/// A line that is not in the trace yet. Its end is read from the clock once, before it waits for
/// the lock.
pub(crate) struct EndedLine {
    line: TraceLine,
    at: Instant,
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_before_the_first_step_stands_under_a_heading_of_its_own() {
        let trace = Trace::default();
        let broken = "The database is away".to_owned();
        trace.push(TraceLine::of(Level::Nowhere, None, broken, Instant::now()));
        trace.step("Reads.");
        let texts: Vec<_> = trace.steps().into_iter().map(|step| step.text).collect();
        assert_eq!(texts, ["Before the first step", "Reads."]);
    }

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

    #[test]
    fn commands_take_no_room_from_what_asked_for_them() {
        let trace = Trace::default();
        trace.step("One reader asks again and again.");
        for n in 0..50 {
            let now = Instant::now();
            for command in ["GET", "SET", "DEL"] {
                trace.push(TraceLine::command(Level::L2, Some(1), format!("{command} {n}"), now));
            }
            trace.push(TraceLine::of(Level::L2, Some(1), n.to_string(), now));
        }
        let step = trace.steps().remove(0);
        let n_requests = step.lines.iter().filter(|line| line.kind == LineKind::Request).count();
        assert_eq!((n_requests, step.left_out), (40, 10));
        assert_eq!((step.lines.len(), step.commands_left_out), (140, 50));
    }

    #[test]
    fn where_a_request_is_left_out_so_are_its_commands() {
        let trace = Trace::default();
        trace.step("One reader asks again and again.");
        let now = Instant::now();
        for n in 0..40 {
            trace.push(TraceLine::of(Level::L1, Some(1), n.to_string(), now));
        }
        trace.push(TraceLine::command(Level::L2, Some(1), "GET 41".to_owned(), now));
        trace.push(TraceLine::of(Level::L2, Some(1), "41".to_owned(), now));
        let step = trace.steps().remove(0);
        assert_eq!((step.lines.len(), step.left_out, step.commands_left_out), (40, 1, 1));
    }

    #[test]
    fn what_nodes_ask_before_the_first_step_is_no_part_of_it() {
        let trace = Trace::default();
        trace.push(TraceLine::command(Level::L2, Some(1), "GET 7".to_owned(), Instant::now()));
        assert!(trace.steps().is_empty());
    }

    #[test]
    fn a_line_without_a_kind_is_a_request() {
        let text = r#"{"at_us":9,"node":1,"level":"l1","command":"read 7","took_us":4}"#;
        let line: TraceLine = serde_json::from_str(text).unwrap();
        assert_eq!((line.kind, line.began_us()), (LineKind::Request, 5));
    }
}
