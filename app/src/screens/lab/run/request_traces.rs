use std::cmp::Reverse;

use strata_lab::{Level, LineKind, TraceLine};

/// A request of a lesson's script with the commands that it caused. Without a request it is one
/// command that none of the step's requests asked for, or the end of what is told elsewhere.
pub(super) struct RequestTrace<'a> {
    pub(super) request: Option<&'a TraceLine>,
    /// Its request and first commands are told elsewhere.
    pub(super) goes_on: bool,
    pub(super) commands: Vec<&'a TraceLine>,
}

impl<'a> RequestTrace<'a> {
    /// A step's lines in the order in which they began, each command with its request.
    pub(super) fn of_all(lines: &'a [TraceLine]) -> Vec<Self> {
        let (requests, mut commands): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.kind == LineKind::Request);
        let with_none = |line| Self { request: Some(line), goes_on: false, commands: Vec::new() };
        let mut traces: Vec<Self> = requests.into_iter().map(with_none).collect();
        traces.sort_by_key(Self::began_us);
        commands.sort_by_key(|line| line.began_us());
        let mut alone = Vec::new();
        for command in commands {
            let likely =
                traces.iter_mut().filter_map(|trace| Some((trace.likelihood(command)?, trace)));
            // Of several that are as likely the first.
            match likely.reduce(|best, other| if other.0 > best.0 { other } else { best }) {
                Some((_, trace)) => trace.commands.push(command),
                None => alone.push(Self::alone(command)),
            }
        }
        traces.extend(alone);
        traces.sort_by_key(Self::began_us);
        traces
    }

    fn alone(command: &'a TraceLine) -> Self {
        Self { request: None, goes_on: false, commands: vec![command] }
    }

    /// How many lines it has.
    pub(super) fn n_lines(&self) -> usize {
        usize::from(self.request.is_some()) + self.commands.len()
    }

    fn began_us(&self) -> u64 {
        self.request.or_else(|| self.commands.first().copied()).map_or(0, TraceLine::began_us)
    }

    // `None` where it cannot have caused the command. Requests and commands are recorded apart: a command belongs to
    // a request that was under way on the same node. Where many were at once, it is most likely
    // one for the same key, which waits for no other's load, and has not asked the same itself.
    fn likelihood(&self, command: &TraceLine) -> Option<(bool, bool, Reverse<usize>)> {
        let request = self.request?;
        let was_under_way =
            request.began_us() <= command.began_us() && command.at_us <= request.at_us;
        let is_there = command.node.is_none_or(|node| request.node == Some(node));
        if !was_under_way || !is_there {
            return None;
        }
        let key = request.command.split([' ', ':', ',']).nth(1).unwrap_or_default();
        let names_key = words(&command.command).any(|word| word == key);
        let asks = request.level != Level::L1 && !request.command.contains(": coalesced");
        let is_same = |other: &&&TraceLine| other.command == command.command;
        let n_same = self.commands.iter().filter(is_same).count();
        Some((names_key, asks, Reverse(n_same)))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ':', ',', '[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: LineKind, (from_us, to_us): (u64, u64), command: &str) -> TraceLine {
        let (level, node) = (Level::L2, Some(1));
        let command = command.to_owned();
        TraceLine { at_us: to_us, node, level, command, took_us: to_us - from_us, kind }
    }

    fn request(span: (u64, u64), command: &str) -> TraceLine {
        line(LineKind::Request, span, command)
    }

    fn command(span: (u64, u64), command: &str) -> TraceLine {
        line(LineKind::Command, span, command)
    }

    fn told(lines: &[TraceLine]) -> Vec<(&str, Vec<&str>)> {
        let text = |line: &&TraceLine| -> &str {
            lines.iter().find(|it| it == line).map_or("", |it| &it.command)
        };
        let traces = RequestTrace::of_all(lines);
        let told = |trace: &RequestTrace<'_>| {
            let request = trace.request.as_ref().map_or("", text);
            (request, trace.commands.iter().map(text).collect())
        };
        traces.iter().map(told).collect()
    }

    #[test]
    fn commands_stand_below_the_request_that_waited_for_them() {
        // In the order in which they ended.
        let lines = [
            command((11, 12), "GET 7: nothing"),
            command((15, 16), "EVALSHA commit 7"),
            request((10, 20), "read 7: loaded, version 1"),
            request((21, 22), "read 7: L1 hit, version 1"),
        ];
        assert_eq!(
            told(&lines),
            [
                ("read 7: loaded, version 1", vec!["GET 7: nothing", "EVALSHA commit 7"]),
                ("read 7: L1 hit, version 1", vec![]),
            ]
        );
    }

    #[test]
    fn what_nobody_waited_for_stands_alone_in_its_place() {
        let lines = [
            request((10, 20), "write 7, version 2: acknowledged"),
            command((30, 31), "EVALSHA queue take writes"),
            request((40, 50), "read 7: l2_hit, version 2"),
        ];
        assert_eq!(told(&lines)[1], ("", vec!["EVALSHA queue take writes"]));
    }

    #[test]
    fn a_command_of_another_node_is_nobodys_here() {
        let elsewhere = TraceLine { node: Some(2), ..command((11, 12), "GET 7") };
        let database = TraceLine { node: None, ..command((13, 14), "SELECT … [7]") };
        let lines = [elsewhere, database, request((10, 20), "read 7: loaded, version 1")];
        assert_eq!(
            told(&lines),
            [("read 7: loaded, version 1", vec!["SELECT … [7]"]), ("", vec!["GET 7"])]
        );
    }

    #[test]
    fn of_many_at_once_the_one_that_loads_its_key_asked() {
        let lines = [
            command((13, 14), "GET 7: nothing"),
            request((9, 20), "read 70: loaded, version 1"),
            request((10, 20), "read 7: coalesced, version 1"),
            request((11, 20), "read 7: loaded, version 1"),
        ];
        let told = told(&lines);
        assert_eq!(told[2], ("read 7: loaded, version 1", vec!["GET 7: nothing"]));
    }

    #[test]
    fn who_asks_the_same_at_once_has_a_command_each() {
        let lines = [
            command((13, 14), "GET 7: nothing"),
            command((13, 14), "GET 7: nothing"),
            request((10, 20), "read 7: loaded, version 1"),
            request((11, 20), "read 7: loaded, version 1"),
        ];
        assert!(told(&lines).iter().all(|(_, commands)| commands.len() == 1));
    }
}
