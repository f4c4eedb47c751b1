use leptos::prelude::*;
use strata_demo::lab::{Level, LineKind, Step, TraceLine};

use crate::format;

// So many lines tell what a step does; the rest is there for whoever wants it.
const N_SHOWN: usize = 5;
// Stale reads are what many a lesson is about, so they are shown wherever they stand.
const MAX_SHOWN: usize = 8;

/// What happened, step by step.
pub(super) fn list(steps: &[Step]) -> impl IntoView + use<> {
    let steps = steps.iter().map(step).collect_view();
    view! { <ol class="steps">{steps}</ol> }
}

fn step(step: &Step) -> impl IntoView + use<> {
    let mut n_shown = 0;
    let (first, rest): (Vec<_>, Vec<_>) = step.lines.iter().partition(|line| {
        let is_shown = n_shown < N_SHOWN || n_shown < MAX_SHOWN && is_stale(line);
        n_shown += usize::from(is_shown);
        is_shown
    });
    let more = (!rest.is_empty() || step.left_out > 0).then(|| {
        let n_more = rest.len() as u64 + step.left_out;
        let left_out = (step.left_out > 0).then(|| {
            format!("{} not kept.", format::plural(step.left_out, "more was", "more were"))
        });
        view! {
            <details>
                <summary>{format::plural(n_more, "more", "more")}</summary>
                <ol class="trace">{lines(&rest)}</ol>
                <p class="small">{left_out}</p>
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

fn lines(lines: &[&TraceLine]) -> impl IntoView + use<> {
    lines.iter().map(|each| line(each)).collect_view()
}

fn line(line: &TraceLine) -> impl IntoView + use<> {
    let node = line.node.map(|node| format!("node {node}"));
    let took = (line.took_us > 0).then(|| format::duration(Some(line.took_us * 1_000)));
    view! {
        <li class=is_stale(line).then_some("is-stale")>
            <span class=format!("level {}", class(line.level))>{name(line.level)}</span>
            <span class="node">{node}</span>
            <code>{line.command.clone()}</code>
            <span class="took">{took}</span>
        </li>
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
            view! { <rect class=class(line.level) x=(i * 10).to_string() width="8" height="8" /> }
        };
        let squares = requests.into_iter().enumerate().map(square).collect_view();
        view! {
            <svg class="strip" aria-hidden="true" viewBox=format!("0 0 {} 8", n * 10) preserveAspectRatio="xMinYMid meet">{squares}</svg>
        }
        .into_any()
    })
}

const fn class(level: Level) -> &'static str {
    match level {
        Level::L1 => "l1",
        Level::L2 => "l2",
        Level::Source => "source",
        Level::Nowhere => "nowhere",
    }
}

const fn name(level: Level) -> &'static str {
    match level {
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
        let mut lines = vec![line("read 1: l1_hit, version 1"); 40];
        lines[30] = line("read 7: l1_hit, version 1, stale");
        let step = Step { text: "Reads.".to_owned(), lines, ..Step::default() };
        let html = Owner::new().with(|| list(&[step]).to_html());
        let shown = html.split("<details>").next().unwrap_or_default();
        assert!(shown.contains("is-stale") && html.contains("34 more"));
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let line = line("read 1: l1_hit, version 1");
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
}
