use leptos::prelude::*;
use serde_json::Value;
use strata_demo::lab::{Performance, Phase, ResultRow};

use super::lesson::{Seen, SeenRun};
use crate::format;
use crate::screens::sheet::titled;
use crate::screens::words;

/// A column: its name, what it counts, and how.
struct Column {
    name: String,
    meaning: &'static str,
    /// Whether a difference between contenders is marked; times always differ.
    is_count: bool,
    cell: fn(&ResultRow, &str) -> String,
}

/// What each contender came to; the same columns in every lesson.
pub(super) fn card(seen: &Seen, run: &SeenRun) -> Option<AnyView> {
    let performances = &run.state.performances;
    if run.is_running() || performances.is_empty() {
        return None;
    }
    let columns = columns(performances);
    let head = |column: &Column| {
        let name = column.name.clone();
        view! { <th scope="col" title=column.meaning>{name}</th> }
    };
    let rows = performances.iter().map(|each| row(each, &columns, performances)).collect_view();
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
            <div class="scroll" tabindex="0" role="region" aria-label="Table of results">
                <table class="rows" data-testid="results">
                    <caption class="unseen">"Results, one row a contender"</caption>
                    <thead><tr><th scope="col">"contender"</th>{columns.iter().map(head).collect_view()}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        },
    ))
}

fn row(
    performance: &Performance,
    columns: &[Column],
    all: &[Performance],
) -> impl IntoView + use<> {
    let cell = |column: &Column| {
        let text = |each: &Performance| (column.cell)(&each.result, &column.name);
        let own = text(performance);
        let differs = column.is_count && all.iter().any(|each| text(each) != own);
        view! { <td class=differs.then_some("differs")>{own}</td> }
    };
    let cells = columns.iter().map(cell).collect_view();
    let cut = (!performance.is_over).then(|| view! { <span class="small">" cut off"</span> });
    view! { <tr><th scope="row">{performance.title.clone()}{cut}</th>{cells}</tr> }
}

fn columns(performances: &[Performance]) -> Vec<Column> {
    let count =
        |name: &str, meaning, cell| Column { name: name.to_owned(), meaning, is_count: true, cell };
    let mut columns = vec![
        count("reads", "All reads.", |row, _| format::count(row.outcomes.reads())),
        count("L1 hit", "Answered by the node's own memory.", |row, _| {
            format::count(row.outcomes.l1_hit)
        }),
        count("L2 hit", "Answered by Redis.", |row, _| format::count(row.outcomes.l2_hit)),
        count("loaded", "The read asked the database.", |row, _| {
            format::count(row.outcomes.loaded)
        }),
        count("coalesced", "The read waited for another's load. Not a hit.", |row, _| {
            format::count(row.outcomes.coalesced)
        }),
        count(
            "other",
            "Served older on purpose, went around the cache, found nothing, or failed.",
            |row, _| format::count(other(row)),
        ),
        count("queries", "How often the database was asked for an item.", |row, _| {
            format::count(row.queries)
        }),
        count("transactions", "How often the database was asked to write.", |row, _| {
            format::count(row.updates)
        }),
    ];
    columns.extend(
        [
            (
                "p50",
                "Half of the reads took no longer.",
                (|row, _| format::duration(row.p50_ns)) as fn(&ResultRow, &str) -> String,
            ),
            ("p99", "All but one in a hundred reads took no longer.", |row, _| {
                format::duration(row.p99_ns)
            }),
        ]
        .map(|(name, meaning, cell)| Column {
            name: name.to_owned(),
            meaning,
            is_count: false,
            cell,
        }),
    );
    columns.extend([
        count(
            "stale reads",
            "Began after a newer version was acknowledged than the one they answered.",
            |row, _| of_some(row.stale_reads, row.outcomes.reads()),
        ),
        count("writes", "Acknowledged.", |row, _| format::count(row.acknowledged)),
        count("refused", "Writes that failed, of which the writer knows.", |row, _| {
            of_some(row.refused, writes(row))
        }),
        count("lost", "Writes acknowledged that the database never got.", |row, _| {
            of_some(row.lost_writes, writes(row))
        }),
    ]);
    columns.extend(further(performances).into_iter().map(|name| Column {
        name,
        meaning: "",
        is_count: true,
        cell: |row, name| words::count(field(row, name)),
    }));
    columns
}

// Without a read or write nothing can have gone wrong with it.
fn of_some(n: u64, whole: u64) -> String {
    words::count((whole > 0).then_some(n))
}

fn writes(row: &ResultRow) -> u64 {
    row.acknowledged + row.refused
}

fn other(row: &ResultRow) -> u64 {
    let outcomes = &row.outcomes;
    outcomes.stale + outcomes.bypassed + outcomes.missed + outcomes.failed
}

const KNOWN: [&str; 10] = [
    "outcomes",
    "queries",
    "updates",
    "p50_ns",
    "p99_ns",
    "stale_reads",
    "acknowledged",
    "refused",
    "lost_writes",
    "took_ms",
];

// What only some lessons count is shown as it is named.
fn further(performances: &[Performance]) -> Vec<String> {
    let first = performances.first().and_then(|each| serde_json::to_value(&each.result).ok());
    let fields = first.as_ref().and_then(Value::as_object);
    let names = fields.into_iter().flatten().map(|(name, _)| name);
    names
        .filter(|name| !KNOWN.contains(&name.as_str()))
        .map(|name| name.replace('_', " "))
        .collect()
}

fn field(row: &ResultRow, name: &str) -> Option<u64> {
    serde_json::to_value(row).ok()?.get(name.replace(' ', "_"))?.as_u64()
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

    #[test]
    fn no_data_is_a_dash() {
        let row = ResultRow::default();
        let columns = columns(&run(Phase::Done).state.performances);
        let cell = |name: &str| {
            let column = columns.iter().find(|column| column.name == name).expect("a column");
            (column.cell)(&row, name)
        };
        assert_eq!(["p99", "stale reads", "lost"].map(cell), [format::DASH; 3]);
        assert_eq!(cell("queries"), "0");
    }
}
