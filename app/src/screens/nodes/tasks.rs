//! What background tasks do, and what is the matter with each node's way to Redis.

use leptos::prelude::*;
use strata_console::NodeStatus;
use strata_report::{L2Error, NodeRow, NodesReport, TaskReport, TaskState};

use crate::format::{self, DASH};
use crate::screens::page_frame::titled_card;

/// The tasks of one node, or of the program that shows them.
struct TaskOwner<'a> {
    /// `None` is the program.
    node: Option<&'a str>,
    tasks: &'a [TaskReport],
    /// When they were reported.
    at_ms: u64,
}

/// Draws the background tasks: one row where all of a node are well, and one for each that is not
/// or was not.
pub(super) fn card(report: &NodesReport) -> AnyView {
    let own = TaskOwner { node: None, tasks: &report.tasks, at_ms: report.at_ms };
    // Nobody knows what those of a lost node do.
    let heard = report.nodes.iter().filter(|node| NodeStatus::of(node) != NodeStatus::Lost);
    let nodes = heard.map(|node| TaskOwner {
        node: Some(&node.node),
        tasks: &node.tasks,
        at_ms: node.at_ms,
    });
    let all: Vec<_> = nodes.chain([own]).filter(|owner| !owner.tasks.is_empty()).collect();
    let n = all.iter().map(|owner| owner.tasks.len() as u64).sum();
    let rows: Vec<_> = all.iter().flat_map(rows).collect();
    titled_card(
        "tasks",
        "Background tasks",
        format::plural(n, "task", "tasks"),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of background tasks">
                <table class="rows" data-testid="tasks">
                    <caption class="unseen">"Background tasks: whether they run, how often they failed, when and why"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"of"</th>
                            <th scope="col">"state"</th>
                            <th scope="col" class="text">"task"</th>
                            <th scope="col" title="How often the task panicked or ended early. It restarts each time.">"failures"</th>
                            <th scope="col">"last"</th>
                            <th scope="col" class="text">"why"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        },
    )
}

fn rows(owner: &TaskOwner<'_>) -> Vec<AnyView> {
    let is_well = |task: &&TaskReport| task.runs() && task.failure.is_none();
    let (well, failed): (Vec<_>, Vec<_>) = owner.tasks.iter().partition(is_well);
    let mut rows: Vec<_> = failed.into_iter().map(|task| failed_row(owner, task)).collect();
    if !well.is_empty() {
        rows.push(well_row(owner, &well, rows.is_empty()));
    }
    rows
}

fn name(owner: &TaskOwner<'_>) -> String {
    owner.node.map_or_else(|| "the dashboard".to_owned(), |node| format!("node {node}"))
}

fn well_row(owner: &TaskOwner<'_>, well: &[&TaskReport], is_all: bool) -> AnyView {
    let names: Vec<_> = well.iter().map(|task| task.task.as_str()).collect();
    let state = if is_all { "all run" } else { "run" };
    view! {
        <tr>
            <th scope="row">{name(owner)}</th>
            <td><span class="badge good">{state}</span></td>
            <td class="text">{names.join(", ")}</td>
            <td>"0"</td>
            <td>{DASH}</td>
            <td class="text">{DASH}</td>
        </tr>
    }
    .into_any()
}

fn failed_row(owner: &TaskOwner<'_>, task: &TaskReport) -> AnyView {
    let (state, tone) = match task.state {
        TaskState::Running => ("restarted", "badge"),
        TaskState::Restarting => ("down, restarting", "badge bad"),
        TaskState::Stopped => ("stopped", "badge"),
        TaskState::RuntimeGone => ("runtime gone", "badge bad"),
        TaskState::Other => ("unknown", "badge"),
    };
    let last = task.failed_at_ms.map_or_else(
        || DASH.to_owned(),
        |at_ms| format!("{} ago", format::span(owner.at_ms.saturating_sub(at_ms))),
    );
    view! {
        <tr>
            <th scope="row">{name(owner)}</th>
            <td><span class=tone>{state}</span></td>
            <td class="text">{task.task.clone()}</td>
            <td>{format::count(task.panics + task.ends)}</td>
            <td>{last}</td>
            <td class="text">{task.failure.clone().unwrap_or_else(|| DASH.to_owned())}</td>
        </tr>
    }
    .into_any()
}

/// Draws what is the matter with a bus or a way to Redis; nothing where all is well.
pub(super) fn problems(report: &NodesReport) -> Option<AnyView> {
    let lines: Vec<_> = report.nodes.iter().flat_map(node_problems).collect();
    (!lines.is_empty()).then(|| {
        let note = "as each node reports";
        let lines = lines.collect_view();
        titled_card("problems", "Problems", note, view! { <ul class="disagreements">{lines}</ul> })
    })
}

fn node_problems(node: &NodeRow) -> Vec<AnyView> {
    let line = |what: String| {
        view! { <li><h3>{format!("Node {}", node.node)}</h3><p>{what}</p></li> }.into_any()
    };
    let silent = node.bus.silent_since_ms.map(|since_ms| {
        let because = node.bus.silent_because.as_deref();
        let because = because.map_or_else(String::new, |because| format!(", because {because}"));
        let since = format::span(node.at_ms.saturating_sub(since_ms));
        format!("The bus has been silent for {since}{because}.")
    });
    let error = node.l2.last_error.as_ref().map(|error| said(error, node.at_ms));
    silent.into_iter().chain(error).map(line).collect()
}

fn said(error: &L2Error, at_ms: u64) -> String {
    let span = |at: u64| format::span(at_ms.saturating_sub(at));
    let says = match error.code.as_str() {
        "CONNECTION" | "TIMEOUT" => "Redis does not answer".to_owned(),
        code => format!("Redis says {code}"),
    };
    let times = format::plural(error.times, "time", "times");
    let (within, last) = (span(error.since_ms), span(error.at_ms));
    format!("{says}: {} ({times} in {within}, last {last} ago).", error.message)
}

#[cfg(test)]
mod tests {
    use strata_report::{NodePresence, PresenceState};

    use super::*;

    fn task(name: &str) -> TaskReport {
        TaskReport { task: name.to_owned(), ..TaskReport::default() }
    }

    fn drawn(node: NodeRow) -> String {
        let report = NodesReport { at_ms: 60_000, nodes: vec![node], ..NodesReport::default() };
        let html = Owner::new().with(|| {
            let problems = super::problems(&report).map(|problems| problems.to_html());
            format!("{}{}", card(&report).to_html(), problems.unwrap_or_default())
        });
        // The space of numbers does not break.
        html.replace(['\u{202f}', '\u{a0}'], " ")
    }

    fn node(tasks: Vec<TaskReport>) -> NodeRow {
        NodeRow { node: "1".to_owned(), at_ms: 60_000, tasks, ..NodeRow::default() }
    }

    #[test]
    fn tasks_that_are_well_stand_in_one_row() {
        let html = drawn(node(vec![task("upkeep"), task("bus")]));
        assert!(html.contains("upkeep, bus") && html.contains("all run"), "{html}");
        assert!(!html.contains("Problems"), "{html}");
    }

    #[test]
    fn the_tasks_of_a_node_that_is_lost_do_not_look_as_if_they_ran() {
        let state = PresenceState::Lost;
        let presence = Some(NodePresence { state, ..NodePresence::default() });
        let html = drawn(NodeRow { presence, ..node(vec![task("upkeep")]) });
        assert!(!html.contains("upkeep") && !html.contains("all run"), "{html}");
    }

    #[test]
    fn a_task_that_failed_says_when_how_often_and_why() {
        let failed = TaskReport {
            state: TaskState::Restarting,
            panics: 3,
            failure: Some("it panicked: out of bounds".to_owned()),
            failed_at_ms: Some(30_000),
            ..task("bus")
        };
        let html = drawn(node(vec![task("upkeep"), failed]));
        for said in ["down, restarting", ">3<", "30 s ago", "it panicked: out of bounds"] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains("all run"), "{html}");
    }

    #[test]
    fn a_silent_bus_and_an_error_of_redis_say_since_when_and_why() {
        let mut node = node(vec![task("bus")]);
        node.bus.silent_since_ms = Some(40_000);
        node.bus.silent_because = Some("invalidations cannot be written".to_owned());
        node.l2.last_error = Some(L2Error {
            code: "MISCONF".to_owned(),
            message: "cannot save".to_owned(),
            since_ms: 40_000,
            at_ms: 58_000,
            times: 9,
        });
        let html = drawn(node);
        assert!(
            html.contains("silent for 20 s, because invalidations cannot be written."),
            "{html}"
        );
        assert!(html.contains("MISCONF: cannot save (9 times in 20 s, last 2 s ago)"), "{html}");
    }
}
