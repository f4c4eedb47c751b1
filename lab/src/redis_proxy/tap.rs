use std::collections::VecDeque;

use tokio::time::Instant;

use super::command_text::{Asked, KeyNames};
use super::resp::{Answers, Commands, Garbled};
use crate::trace::{Level, Trace, TraceLine};

/// Whose commands are heard on a proxy, and where they are told.
#[derive(Clone)]
pub(crate) struct Listener {
    /// Of the node, from 1.
    pub(crate) node: usize,
    pub(crate) names: KeyNames,
    pub(crate) trace: Trace,
}

/// What passes on one connection to Redis, so far as a learner wants to know. It stops listening
/// where it does not understand, and never disturbs what passes.
pub(crate) struct RedisTap {
    by: Listener,
    /// `None` where it stopped.
    talk: Option<Exchange>,
}

#[derive(Default)]
struct Exchange {
    commands: Commands,
    answers: Answers,
    /// Commands that passed and are not answered, the oldest first.
    open: VecDeque<PendingCommand>,
}

struct PendingCommand {
    /// `None` where it is not to be told.
    asked: Option<Asked>,
    /// When the node asked; it may have been held before it passed.
    began: Instant,
}

/// More would wait for an answer only if we had lost count.
const MAX_OPEN: usize = 10_000;

impl RedisTap {
    pub(crate) fn new(by: &Listener) -> Self {
        Self { by: by.clone(), talk: Some(Exchange::default()) }
    }

    /// Commands pass; to be told before they go on, so that no answer comes first.
    pub(crate) fn requests(&mut self, bytes: &[u8], asked: Instant) {
        let Some(mut talk) = self.talk.take() else { return };
        if talk.requests(bytes, &self.by.names, asked).is_ok() {
            self.talk = Some(talk);
        }
    }

    /// Answers pass; to be told before they go on, so that a command is told before what it was
    /// for.
    pub(crate) fn answers(&mut self, bytes: &[u8]) {
        let Some(mut talk) = self.talk.take() else { return };
        let Ok(told) = talk.answers(bytes) else { return };
        for (text, began) in told {
            let line = TraceLine::command(Level::L2, Some(self.by.node), text, began);
            self.by.trace.push(line);
        }
        self.talk = Some(talk);
    }
}

impl Exchange {
    fn requests(&mut self, bytes: &[u8], names: &KeyNames, began: Instant) -> Result<(), Garbled> {
        for command in self.commands.read(bytes)? {
            self.open.push_back(PendingCommand { asked: Asked::of(&command, names), began });
        }
        if self.open.len() > MAX_OPEN { Err(Garbled) } else { Ok(()) }
    }

    fn answers(&mut self, bytes: &[u8]) -> Result<Vec<(String, Instant)>, Garbled> {
        let mut told = Vec::new();
        for answer in self.answers.read(bytes)? {
            let PendingCommand { asked, began } = self.open.pop_front().ok_or(Garbled)?;
            let text = asked.and_then(|asked| asked.answered(&answer));
            told.extend(text.map(|text| (text, began)));
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> (RedisTap, Trace) {
        let trace = Trace::default();
        trace.step("A reader asks.");
        let by = Listener { node: 2, names: KeyNames::of("lab"), trace: trace.clone() };
        (RedisTap::new(&by), trace)
    }

    fn told(trace: &Trace) -> Vec<String> {
        let steps = trace.steps();
        steps.iter().flat_map(|step| &step.lines).map(|line| line.command.clone()).collect()
    }

    fn asks(heard: &mut RedisTap, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
        let text: String = words.iter().map(word).collect();
        heard.requests(format!("*{}\r\n{text}", words.len()).as_bytes(), Instant::now());
    }

    #[test]
    fn each_answer_ends_the_oldest_command() {
        let (mut heard, trace) = heard();
        for line in ["GET {lab}:a:1", "PING", "GET {lab}:a:2"] {
            asks(&mut heard, line);
        }
        heard.answers(b"$-1\r\n+PONG\r\n>1\r\n+push\r\n$5\r\nva");
        assert_eq!(told(&trace), ["GET 1: nothing"]);
        heard.answers(b"lue\r\n");
        assert_eq!(told(&trace), ["GET 1: nothing", "GET 2"]);
        let line = trace.steps()[0].lines[0].clone();
        assert_eq!((line.level, line.node), (Level::L2, Some(2)));
    }

    #[test]
    fn a_script_that_was_not_loaded_is_told_once() {
        let (mut heard, trace) = heard();
        for line in
            ["EVALSHA 0123456789 1 {lab}:a:1", "SCRIPT LOAD x", "EVALSHA 0123456789 1 {lab}:a:1"]
        {
            asks(&mut heard, line);
        }
        heard.answers(b"-NOSCRIPT No matching script.\r\n$2\r\nab\r\n:1\r\n");
        assert_eq!(told(&trace), ["EVALSHA 012345… 1"]);
    }

    #[test]
    fn what_is_not_understood_ends_the_listening() {
        let (mut heard, trace) = heard();
        heard.requests(b"GET 7\r\n", Instant::now());
        asks(&mut heard, "GET {lab}:a:1");
        heard.answers(b"$-1\r\n");
        assert_eq!(told(&trace), [""; 0]);
    }

    #[test]
    fn an_answer_to_nothing_ends_the_listening() {
        let (mut heard, trace) = self::heard();
        heard.answers(b"+OK\r\n");
        asks(&mut heard, "GET {lab}:a:1");
        heard.answers(b"$-1\r\n");
        assert_eq!(told(&trace), [""; 0]);
    }
}
