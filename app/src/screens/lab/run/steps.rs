use leptos::prelude::*;
use strata_lab::{Level, LineKind, Step, TraceLine};

use super::request_traces::RequestTrace;
use crate::format;

// These requests show what a step does; the rest is folded away.
const N_SHOWN: usize = 5;
// Stale reads are what many a lesson is about, so they are shown wherever they stand.
const MAX_SHOWN: usize = 8;
// With the commands that they caused.
const MAX_LINES: usize = 12;

/// What happened, step by step.
pub(in crate::screens::lab) fn list(steps: &[Step]) -> impl IntoView + use<> {
    let steps = steps.iter().map(step).collect_view();
    view! { <ol class="steps">{steps}</ol> }
}

fn step(step: &Step) -> impl IntoView + use<> {
    let (first, rest) = shown(RequestTrace::of_all(&step.lines));
    let more = more(&rest, step).map(|summary| {
        view! {
            <details>
                <summary>{summary}</summary>
                <ol class="trace">{lines(&rest)}</ol>
                <p class="small">{not_kept(step)}</p>
            </details>
        }
    });
    view! {
        <li class="step">
            <h3>{step.text.clone()}</h3>
            {strip(&step.lines)}
            <ol class="trace">{lines(&first)}</ol>
            {more}
        </li>
    }
}

// What is shown at once, and what only where somebody asks for it.
fn shown(traces: Vec<RequestTrace<'_>>) -> (Vec<RequestTrace<'_>>, Vec<RequestTrace<'_>>) {
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let (mut n_requests, mut n_lines) = (0, 0);
    for mut trace in traces {
        let is_stale = trace.request.is_some_and(is_stale) && n_requests < MAX_SHOWN;
        let has_room = rest.is_empty() && n_requests < N_SHOWN;
        if is_stale || has_room && n_lines + trace.n_lines() <= MAX_LINES {
            n_requests += usize::from(trace.request.is_some());
            n_lines += trace.n_lines();
            first.push(trace);
        } else if first.is_empty() && rest.is_empty() {
            // One request for many keys, or many commands of one.
            let commands = trace.commands.split_off(MAX_LINES - 1);
            first.push(trace);
            rest.push(RequestTrace { request: None, goes_on: true, commands });
        } else {
            rest.push(trace);
        }
    }
    (first, rest)
}

fn more(rest: &[RequestTrace<'_>], step: &Step) -> Option<String> {
    let n_requests = rest.iter().filter(|trace| trace.request.is_some()).count();
    let n_commands: usize = rest.iter().map(|trace| trace.commands.len()).sum();
    let n_requests = n_requests as u64 + step.left_out;
    let n_commands = n_commands as u64 + step.commands_left_out;
    match (n_requests, n_commands) {
        (0, 0) => None,
        (n, 0) => Some(format!("{} more", format::count(n))),
        (0, n) => Some(format::plural(n, "more command", "more commands")),
        (n, commands) => {
            let commands = format::plural(commands, "command", "commands");
            Some(format!("{} more, with {commands}", format::count(n)))
        }
    }
}

fn not_kept(step: &Step) -> Option<String> {
    let requests = format::plural(step.left_out, "more", "more");
    let commands = format::plural(step.commands_left_out, "command", "commands");
    match (step.left_out, step.commands_left_out) {
        (0, 0) => None,
        (1, 0) => Some(format!("{requests} was not kept.")),
        (_, 0) => Some(format!("{requests} were not kept.")),
        (0, 1) => Some(format!("{commands} was not kept.")),
        (0, _) => Some(format!("{commands} were not kept.")),
        (..) => Some(format!("{requests} and {commands} were not kept.")),
    }
}

fn lines(traces: &[RequestTrace<'_>]) -> impl IntoView + use<> {
    traces.iter().map(trace).collect_view()
}

fn trace(trace: &RequestTrace<'_>) -> impl IntoView + use<> {
    let commands = || {
        let command = |command: &&TraceLine| view! { <li>{line(command)}</li> };
        trace.commands.iter().map(command).collect_view()
    };
    let Some(request) = trace.request else {
        let nobody = (!trace.goes_on).then_some("In the background: ");
        let alone = view! {
            <li class="is-alone">
                <span class="unseen">{nobody}</span>
                <ol class="caused">{commands()}</ol>
            </li>
        };
        return alone.into_any();
    };
    let caused =
        (!trace.commands.is_empty()).then(|| view! { <ol class="caused">{commands()}</ol> });
    view! {
        <li class=is_stale(request).then_some("is-stale")>
            {line(request)}
            {caused}
        </li>
    }
    .into_any()
}

fn line(line: &TraceLine) -> impl IntoView + use<> {
    let node = line.node.map(|node| format!("node {node}"));
    let took = (line.took_us > 0).then(|| format::duration(Some(line.took_us * 1_000)));
    view! {
        <p class="line">
            <span class=format!("level {}", class_of(line))>{name(line)}</span>
            <span class="node">{node}</span>
            <code>{line.command.clone()}</code>
            <span class="took">{took}</span>
        </p>
    }
}

fn is_stale(line: &TraceLine) -> bool {
    line.command.ends_with(", stale")
}

// One square a read or write, in the colour of the layer that answered: a step at a glance.
fn strip(lines: &[TraceLine]) -> Option<AnyView> {
    let is_request = |line: &&TraceLine| line.kind == LineKind::Request && line.node.is_some();
    let requests: Vec<_> = lines.iter().filter(is_request).collect();
    let n = requests.len();
    (n > N_SHOWN).then(|| {
        let square = |(i, line): (usize, &TraceLine)| {
            view! { <rect class=class_of(line) x=(i * 10).to_string() width="8" height="8" /> }
        };
        let squares = requests.into_iter().enumerate().map(square).collect_view();
        view! {
            <svg class="strip" aria-hidden="true" viewBox=format!("0 0 {} 8", n * 10) preserveAspectRatio="xMinYMid meet">{squares}</svg>
        }
        .into_any()
    })
}

// A read that waited for another's load did not ask the database itself.
fn is_coalesced(line: &TraceLine) -> bool {
    line.kind == LineKind::Request && line.command.contains(": coalesced")
}

fn class_of(line: &TraceLine) -> &'static str {
    match line.level {
        _ if is_coalesced(line) => "coalesced",
        Level::L1 => "l1",
        Level::L2 => "l2",
        Level::Source => "source",
        Level::Nowhere => "nowhere",
    }
}

fn name(line: &TraceLine) -> &'static str {
    match line.level {
        _ if is_coalesced(line) => "wait",
        Level::L1 => "L1",
        Level::L2 => "L2",
        Level::Source => "DB",
        Level::Nowhere => "–",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(command: &str) -> TraceLine {
        let command = command.to_owned();
        let kind = LineKind::Request;
        TraceLine { at_us: 0, node: Some(1), level: Level::L1, command, took_us: 12, kind }
    }

    #[test]
    fn a_stale_read_is_shown_wherever_it_stands() {
        let mut lines = vec![line("read 1: L1 hit, version 1"); 40];
        lines[30] = line("read 7: L1 hit, version 1, stale");
        let step = Step { text: "Reads.".to_owned(), lines, ..Step::default() };
        let html = Owner::new().with(|| list(&[step]).to_html());
        let shown = html.split("<details>").next().unwrap_or_default();
        assert!(shown.contains("is-stale") && html.contains("34 more"));
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let line = line("read 1: L1 hit, version 1");
        let step = Step {
            text: "Reads.".to_owned(),
            lines: vec![line; 40],
            left_out: 160,
            commands_left_out: 0,
        };
        let html = Owner::new().with(|| list(&[step]).to_html());
        assert!(html.contains("195 more") && html.contains("160 more were not kept."));
        assert_eq!(html.matches("<rect").count(), 40);
    }

    #[test]
    fn a_coalesced_read_is_no_load() {
        let load = TraceLine { level: Level::Source, ..line("read 1: loaded, version 1") };
        let wait = TraceLine { level: Level::Source, ..line("read 1: coalesced, version 1") };
        let html = html([vec![load], vec![wait; 9]].concat());
        assert_eq!(html.matches("class=\"coalesced\"").count(), 9);
        assert_eq!(html.matches("class=\"source\"").count(), 1);
        assert!(html.contains("level coalesced\">wait"), "{html}");
    }

    fn caused(command: &str, at_us: u64) -> TraceLine {
        TraceLine { at_us, level: Level::L2, kind: LineKind::Command, took_us: 1, ..line(command) }
    }

    fn html(lines: Vec<TraceLine>) -> String {
        let step = Step { text: "Reads.".to_owned(), lines, ..Step::default() };
        Owner::new().with(|| list(&[step]).to_html())
    }

    // Reads one after the other, each with four commands.
    fn loads(n: u64) -> Vec<TraceLine> {
        let one = |n: u64| {
            let at_us = 100 * n;
            let read =
                TraceLine { at_us, level: Level::Source, took_us: 90, ..line("read 7: loaded") };
            let commands = ["GET 7: nothing", "SET 7 lease NX", "SELECT … [7]", "EVALSHA commit 7"];
            let commands = commands.into_iter().enumerate();
            let commands = commands.map(move |(i, text)| caused(text, at_us - 50 + i as u64));
            commands.chain([read]).collect::<Vec<_>>()
        };
        (1..=n).flat_map(one).collect()
    }

    #[test]
    fn commands_are_set_in_below_their_request() {
        let html = html(loads(1));
        let read = html.find("read 7").unwrap_or_default();
        assert!(read < html.find("GET 7: nothing").unwrap_or_default());
        let below = html.split_once(r#"<ol class="caused">"#).unwrap_or_default().1;
        assert_eq!(below.matches("<li").count(), 4);
        assert!(!html.contains("<details>"));
    }

    #[test]
    fn commands_are_shown_with_their_request_or_not_at_all() {
        let html = html(loads(20));
        let (shown, rest) = html.split_once("<details>").unwrap_or_default();
        let n_lines = shown.matches(r#"class="line""#).count();
        assert_eq!((shown.matches("read 7").count(), n_lines), (2, 10));
        assert!(rest.contains("18 more, with 72 commands"));
        assert_eq!(html.matches("<rect").count(), 20, "a square is a request");
    }

    #[test]
    fn of_a_request_with_very_many_commands_the_first_are_shown() {
        let read = TraceLine { at_us: 100, took_us: 100, ..line("read 1: loaded") };
        let commands = (1..=20).map(|n| caused(&format!("SET {n} lease NX"), n));
        let html = html(commands.chain([read]).collect());
        let (shown, rest) = html.split_once("<details>").unwrap_or_default();
        assert_eq!(shown.matches("lease").count(), 11);
        assert!(rest.contains("9 more commands") && !rest.contains("In the background"));
    }

    #[test]
    fn what_nobody_waited_for_says_so() {
        let html = html(vec![caused("EVALSHA queue take writes", 9)]);
        assert!(html.contains("queue take") && html.contains("In the background"));
    }

    #[test]
    fn commands_that_were_not_kept_are_counted() {
        let step = Step { lines: loads(1), commands_left_out: 20, ..Step::default() };
        let html = Owner::new().with(|| list(&[step]).to_html());
        assert!(html.contains("20 more commands") && html.contains("20 commands were not kept."));
    }
}
