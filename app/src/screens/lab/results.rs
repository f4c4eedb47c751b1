use leptos::prelude::*;
use strata_lab::{Performance, Phase};

use super::columns::{Cell, cells};
use super::lesson::{Seen, SeenRun};
use crate::screens::sheet::titled;
use crate::screens::words;

// Times always differ.
const TIMES: [&str; 2] = ["p50", "p99"];

/// What each contender came to; the same columns in every lesson.
pub(super) fn card(seen: &Seen, run: &SeenRun) -> Option<AnyView> {
    let performances = &run.state.performances;
    if run.is_running() || performances.is_empty() {
        return None;
    }
    let note = match run.state.phase {
        Phase::Done => "counted on this machine, in this run",
        _ => "so far",
    };
    Some(titled(
        "results",
        "Results",
        note,
        view! {
            <p class="watch-for"><strong>"Watch for: "</strong>{seen.lesson.watch_for}</p>
            {table(performances)}
        },
    ))
}

/// The table of what each contender came to.
pub(super) fn table(performances: &[Performance]) -> impl IntoView + use<> {
    let all: Vec<_> = performances.iter().map(|each| cells(&each.result)).collect();
    let head = |(nth, cell): (usize, &Cell)| {
        view! { <th scope="col" tabindex=words::tab_stop(nth) title=cell.meaning>{cell.name.clone()}</th> }
    };
    let heads = all.iter().take(1).flatten().enumerate().map(head).collect_view();
    let rows = performances.iter().zip(&all).map(|(each, cells)| row(each, cells, &all));
    let rows = rows.collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table of results">
            <table class="rows" data-testid="results">
                <caption class="unseen">"Results, one row a contender"</caption>
                <thead><tr><th scope="col">"contender"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn row(performance: &Performance, own: &[Cell], all: &[Vec<Cell>]) -> impl IntoView + use<> {
    let cell = |(i, own): (usize, &Cell)| {
        let is_same = |others: &Vec<Cell>| others.get(i).is_none_or(|other| other == own);
        let differs = !TIMES.contains(&own.name.as_str()) && !all.iter().all(is_same);
        view! { <td class=differs.then_some("differs")>{own.text.clone()}</td> }
    };
    let cells = own.iter().enumerate().map(cell).collect_view();
    let cut = (!performance.is_over).then(|| view! { <span class="small">" cut off"</span> });
    view! { <tr><th scope="row">{performance.title.clone()}{cut}</th>{cells}</tr> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::lab::lesson::tests::{run, stampede};

    fn table(run: &SeenRun) -> Option<String> {
        Owner::new().with(|| Some(card(&stampede(), run)?.to_html()))
    }

    #[test]
    fn a_result_shows_once_the_run_has_ended() {
        assert_eq!(table(&run(Phase::Running)), None);
        let html = table(&run(Phase::Done)).expect("there is a table");
        assert_eq!(html.matches("<tr>").count(), 3);
    }

    #[test]
    fn where_contenders_differ_is_marked() {
        let html = table(&run(Phase::Done)).expect("there is a table");
        assert_eq!(html.matches("differs").count(), 2, "50 queries against 1");
    }
}
