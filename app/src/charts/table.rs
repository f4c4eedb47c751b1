use leptos::prelude::*;
use strata_report::Point;

use super::stacked::Band;
use crate::format;

// A row a second would be read by nobody.
const ROW_MS: u64 = 30_000;

/// One row of a chart's table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PointRow {
    /// When it began.
    at_ms: u64,
    /// What each band counted in it.
    counts: Vec<u64>,
}

/// The same numbers as a chart, as a table that opens.
#[component]
pub(crate) fn Table(
    /// What it lists.
    caption: &'static str,
    /// Its columns.
    bands: &'static [Band],
    /// Its rows, newest first.
    rows: Memo<Vec<PointRow>>,
) -> impl IntoView {
    let heads = bands.iter().map(|band| view! { <th scope="col">{band.name}</th> }).collect_view();
    let body = move || {
        let row = |row: PointRow| {
            let cells = row.counts.into_iter().map(|n| view! { <td>{format::count(n)}</td> });
            view! {
                <tr>
                    <th scope="row">{format::clock(row.at_ms)}</th>
                    {cells.collect_view()}
                </tr>
            }
        };
        rows.get().into_iter().map(row).collect_view()
    };
    view! {
        <details class="twin">
            <summary>"As a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=caption>
                <table>
                    <caption>{caption}", counts in steps of 30 s"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"from, UTC"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
        </details>
    }
}

/// Adds points up into rows, newest first.
pub(crate) fn table_rows(
    points: &[Point],
    n_bands: usize,
    count: impl Fn(&Point, usize) -> u64,
) -> Vec<PointRow> {
    let mut rows: Vec<PointRow> = Vec::new();
    for point in points.iter().rev() {
        let at_ms = point.at_ms.saturating_sub(1) / ROW_MS * ROW_MS;
        if rows.last().is_none_or(|row| row.at_ms != at_ms) {
            rows.push(PointRow { at_ms, counts: vec![0; n_bands] });
        }
        if let Some(row) = rows.last_mut() {
            for (band, total) in row.counts.iter_mut().enumerate() {
                *total += count(point, band);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use strata_report::Outcomes;

    use super::*;

    #[test]
    fn rows_add_up_to_the_points() {
        let point = |s: u64| Point {
            at_ms: s * 1000,
            span_ms: 1000,
            outcomes: Outcomes { l1_hit: 2, ..Outcomes::default() },
            ..Point::default()
        };
        let points: Vec<_> = (1..=70).map(point).collect();
        let rows = table_rows(&points, 1, |point, _| point.outcomes.l1_hit);
        let counts: Vec<_> = rows.iter().map(|row| (row.at_ms, row.counts[0])).collect();
        assert_eq!(counts, [(60_000, 20), (30_000, 60), (0, 60)]);
    }
}
