use std::collections::VecDeque;

use tokio::time::Instant;

use super::command_text::{CommandText, KeyNames};
use super::resp::{Answers, Commands, Garbled};
use crate::trace::{Level, Trace, TraceLine};

/// Whose commands a tap reads, and where it writes them.
#[derive(Clone)]
pub(crate) struct TapTarget {
    /// Of the node, from 1.
    pub(crate) node: usize,
    pub(crate) names: KeyNames,
    pub(crate) trace: Trace,
}

/// Reads what passes on one connection to Redis, as far as a learner wants to know. It stops reading
/// at what it does not understand, and never disturbs what passes.
pub(crate) struct RedisTap {
    target: TapTarget,
    /// `None` where it stopped.
    exchange: Option<Exchange>,
}

#[derive(Default)]
struct Exchange {
    commands: Commands,
    answers: Answers,
    /// Commands that passed and are not answered, the oldest first.
    open: VecDeque<PendingCommand>,
}

struct PendingCommand {
    /// `None` where it is not shown.
    command: Option<CommandText>,
    /// When the node asked; it may have been held before it passed.
    began: Instant,
}

/// More would wait for an answer only if we had lost count.
const MAX_OPEN: usize = 10_000;

impl RedisTap {
    pub(crate) fn new(target: &TapTarget) -> Self {
        Self { target: target.clone(), exchange: Some(Exchange::default()) }
    }

    /// Reads commands that pass. Called before they go on, so that no answer comes first.
    pub(crate) fn requests(&mut self, bytes: &[u8], began: Instant) {
        let Some(mut exchange) = self.exchange.take() else { return };
        if exchange.requests(bytes, &self.target.names, began).is_ok() {
            self.exchange = Some(exchange);
        }
    }

    /// Reads answers that pass. Called before they go on, so that a command is in the trace before the
    /// request that caused it.
    pub(crate) fn answers(&mut self, bytes: &[u8]) {
        let Some(mut exchange) = self.exchange.take() else { return };
        let Ok(lines) = exchange.answers(bytes) else { return };
        for (text, began) in lines {
            let line = TraceLine::command(Level::L2, Some(self.target.node), text, began);
            self.target.trace.push(line);
        }
        self.exchange = Some(exchange);
    }
}

impl Exchange {
    fn requests(&mut self, bytes: &[u8], names: &KeyNames, began: Instant) -> Result<(), Garbled> {
        for command in self.commands.read(bytes)? {
            self.open
                .push_back(PendingCommand { command: CommandText::of(&command, names), began });
        }
        if self.open.len() > MAX_OPEN { Err(Garbled) } else { Ok(()) }
    }

    fn answers(&mut self, bytes: &[u8]) -> Result<Vec<(String, Instant)>, Garbled> {
        let mut lines = Vec::new();
        for answer in self.answers.read(bytes)? {
            let PendingCommand { command, began } = self.open.pop_front().ok_or(Garbled)?;
            let text = command.and_then(|command| command.answered(&answer));
            lines.extend(text.map(|text| (text, began)));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap() -> (RedisTap, Trace) {
        let trace = Trace::default();
        trace.step("A reader asks.");
        let target = TapTarget { node: 2, names: KeyNames::of("lab"), trace: trace.clone() };
        (RedisTap::new(&target), trace)
    }

    fn lines(trace: &Trace) -> Vec<String> {
        let steps = trace.steps();
        steps.iter().flat_map(|step| &step.lines).map(|line| line.command.clone()).collect()
    }

    fn asks(tap: &mut RedisTap, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
        let text: String = words.iter().map(word).collect();
        tap.requests(format!("*{}\r\n{text}", words.len()).as_bytes(), Instant::now());
    }

    #[test]
    fn each_answer_ends_the_oldest_command() {
        let (mut tap, trace) = tap();
        for line in ["GET {lab}:a:1", "PING", "GET {lab}:a:2"] {
            asks(&mut tap, line);
        }
        tap.answers(b"$-1\r\n+PONG\r\n>1\r\n+push\r\n$5\r\nva");
        assert_eq!(lines(&trace), ["GET 1: nothing"]);
        tap.answers(b"lue\r\n");
        assert_eq!(lines(&trace), ["GET 1: nothing", "GET 2"]);
        let line = trace.steps()[0].lines[0].clone();
        assert_eq!((line.level, line.node), (Level::L2, Some(2)));
    }

    #[test]
    fn a_script_that_was_not_loaded_is_told_once() {
        let (mut tap, trace) = tap();
        for line in
            ["EVALSHA 0123456789 1 {lab}:a:1", "SCRIPT LOAD x", "EVALSHA 0123456789 1 {lab}:a:1"]
        {
            asks(&mut tap, line);
        }
        tap.answers(b"-NOSCRIPT No matching script.\r\n$2\r\nab\r\n:1\r\n");
        assert_eq!(lines(&trace), ["EVALSHA 012345… 1"]);
    }

    #[test]
    fn what_is_not_understood_ends_the_listening() {
        let (mut tap, trace) = tap();
        tap.requests(b"GET 7\r\n", Instant::now());
        asks(&mut tap, "GET {lab}:a:1");
        tap.answers(b"$-1\r\n");
        assert_eq!(lines(&trace), [""; 0]);
    }

    #[test]
    fn an_answer_to_nothing_ends_the_listening() {
        let (mut tap, trace) = self::tap();
        tap.answers(b"+OK\r\n");
        asks(&mut tap, "GET {lab}:a:1");
        tap.answers(b"$-1\r\n");
        assert_eq!(lines(&trace), [""; 0]);
    }
}
