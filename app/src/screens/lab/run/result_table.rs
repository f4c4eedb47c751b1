use leptos::prelude::*;
use serde_json::Value;
use strata_lab::{ContenderRun, ResultRow};

use crate::format;
use crate::screens::words;

// Times always differ.
const TIMES: [&str; 2] = ["p50", "p99"];

/// The table of what each contender came to.
pub(in crate::screens::lab) fn table(performances: &[ContenderRun]) -> impl IntoView + use<> {
    let all: Vec<_> = performances.iter().map(|each| cells(&each.result)).collect();
    let head = |(nth, cell): (usize, &ResultCell)| {
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

fn row(
    performance: &ContenderRun,
    own: &[ResultCell],
    all: &[Vec<ResultCell>],
) -> impl IntoView + use<> {
    let cell = |(i, own): (usize, &ResultCell)| {
        let is_same = |others: &Vec<ResultCell>| others.get(i).is_none_or(|other| other == own);
        let differs = !TIMES.contains(&own.name.as_str()) && !all.iter().all(is_same);
        view! { <td class=differs.then_some("differs")>{own.text.clone()}</td> }
    };
    let cells = own.iter().enumerate().map(cell).collect_view();
    let cut = (!performance.is_over).then(|| view! { <span class="small">" cut off"</span> });
    view! { <tr><th scope="row">{performance.title.clone()}{cut}</th>{cells}</tr> }
}

/// One number of a result.
#[derive(Debug, PartialEq)]
struct ResultCell {
    /// The name of its column.
    name: String,
    /// What it counts.
    meaning: &'static str,
    /// The number; a dash where there is no data.
    text: String,
}

/// The numbers of a result, in the order of the columns; the same columns in every lesson.
fn cells(row: &ResultRow) -> Vec<ResultCell> {
    let outcomes = &row.outcomes;
    let (reads, writes) = (outcomes.reads(), row.acknowledged + row.refused);
    let other = outcomes.stale + outcomes.bypassed + outcomes.missed + outcomes.failed;
    // Without a read or write nothing can have gone wrong with it.
    let of = |n: u64, whole: u64| words::count((whole > 0).then_some(n));
    let known = [
        ("reads", "All reads.", format::count(reads)),
        ("L1 hit", "Answered by the node's own memory.", of(outcomes.l1_hit, reads)),
        ("L2 hit", "Answered by Redis.", of(outcomes.l2_hit, reads)),
        ("loaded", "The read asked the database.", of(outcomes.loaded, reads)),
        ("coalesced", "The read waited for a running load.", of(outcomes.coalesced, reads)),
        ("other", "Stale on purpose, bypassed, not found, or failed.", of(other, reads)),
        ("queries", "How often the database was asked for items.", format::count(row.queries)),
        ("transactions", "How often the database was changed.", format::count(row.updates)),
        ("p50", "Half of the reads took no longer.", format::duration(row.p50_ns)),
        ("p99", "All but one in a hundred took no longer.", format::duration(row.p99_ns)),
        (
            "stale reads",
            "The value was older than an acknowledged write.",
            of(row.stale_reads, reads),
        ),
        ("writes", "Writes acknowledged.", format::count(row.acknowledged)),
        ("rejected", "Writes that failed, and the writer knows.", of(row.refused, writes)),
        ("lost", "Acknowledged, but the database never got them.", of(row.lost_writes, writes)),
    ];
    let known =
        known.map(|(name, meaning, text)| ResultCell { name: name.to_owned(), meaning, text });
    known.into_iter().chain(further(row)).collect()
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

// What is counted beside these is shown as it is named.
fn further(row: &ResultRow) -> Vec<ResultCell> {
    let row = serde_json::to_value(row).unwrap_or_default();
    let fields = row.as_object().into_iter().flatten();
    let cell = |(name, value): (&String, &Value)| ResultCell {
        name: name.replace('_', " ").replace("l1", "L1"),
        meaning: meaning(name),
        text: words::count(value.as_u64()),
    };
    fields.filter(|(name, _)| !KNOWN.contains(&name.as_str())).map(cell).collect()
}

fn meaning(name: &str) -> &'static str {
    match name {
        "l1_bytes" => "Memory of the items in L1 at the end, all nodes together.",
        "leaked" => "Items shown to a caller who may not see them.",
        "wave" => "Of entries loaded at once, the most that expire within the same second.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use strata_report::Outcomes;

    use super::*;

    fn texts(row: &ResultRow, names: [&str; 4]) -> [String; 4] {
        let cells = cells(row);
        names.map(|name| {
            let cell = cells.iter().find(|cell| cell.name == name).expect("there is a column");
            cell.text.clone()
        })
    }

    #[test]
    fn no_data_is_a_dash() {
        let row = ResultRow::default();
        let names = ["L1 hit", "p99", "stale reads", "lost"];
        assert_eq!(texts(&row, names), [format::DASH; 4]);
        assert_eq!(texts(&row, ["reads", "queries", "transactions", "writes"]), ["0"; 4]);
    }

    #[test]
    fn the_outcomes_add_up_to_the_reads() {
        let outcomes = Outcomes::from_counts([1, 2, 4, 8, 16, 32, 64, 128]);
        let row = ResultRow { outcomes, ..ResultRow::default() };
        assert_eq!(
            texts(&row, ["reads", "loaded", "coalesced", "other"]),
            ["255", "4", "8", "240"]
        );
    }
}
