use std::fmt::Write as _;

use leptos::prelude::*;

use super::TimeAxis;
use super::columns::Column;
use crate::charts::{Axis, Band};
use crate::format;
use crate::screens::words;

const HEIGHT: f64 = 1_000.0;

/// What a stacked chart says about itself.
#[derive(Clone, Copy)]
pub(in crate::screens) struct Stack {
    /// What it shows, for those who cannot see it; also the caption of its table.
    pub(in crate::screens) title: &'static str,
    /// What all bands together are.
    pub(in crate::screens) whole: &'static str,
    /// The bands, lowest first.
    pub(in crate::screens) bands: &'static [Band],
    /// What each band means.
    pub(in crate::screens) meanings: fn(usize) -> &'static str,
}

/// A stacked chart of rates over time with its legend and its table.
pub(in crate::screens) fn stacked(stack: Stack, time: TimeAxis<'_>, columns: &[Column]) -> AnyView {
    let highest = columns.iter().map(|column| column.per_second(column.total()));
    let axis = Axis::reaching(highest.fold(0.0, f64::max), 4);
    let band = |(i, band): (usize, &Band)| {
        let class = format!("band {}", band.class);
        view! { <path class=class d=band_path(columns, i, time, axis.max()) /> }
    };
    let bands = stack.bands.iter().enumerate().map(band).collect_view();
    let ticks = axis.ticks().map(|tick| view! { <span>{format::tick(tick)}</span> });
    let ticks = ticks.collect_view();
    let grid =
        [0, 250, 500, 750].map(|y| view! { <line class="grid" x1="0" x2="1000" y1=y y2=y /> });
    let grid = grid.into_iter().collect_view();
    let hovers = columns.iter().map(|column| hover(stack, time, column)).collect_view();
    view! {
        <div class="chart">
            <div class="chart-y" aria-hidden="true">{ticks}</div>
            <div class="chart-plot">
                <svg role="img" tabindex="0" aria-label=stack.title viewBox="0 0 1000 1000" preserveAspectRatio="none">
                    {time.unknown()} {grid} {bands} {hovers} {time.marker_lines()}
                </svg>
            </div>
            {time.labels()}
        </div>
        {legend(stack, columns)}
        {table(stack, time, columns)}
    }
    .into_any()
}

// One rectangle a column; columns that touch are one shape, so no seams show.
fn band_path(columns: &[Column], band: usize, time: TimeAxis<'_>, max: f64) -> String {
    let mut out = String::new();
    for column in columns.iter().filter(|column| column.counts[band] > 0) {
        let below: u64 = column.counts[..band].iter().sum();
        let bottom = y(column.per_second(below), max);
        let top = y(column.per_second(below + column.counts[band]), max);
        let (left, right) = (time.x(column.from_ms), time.x(column.to_ms));
        // Writing to a string cannot fail.
        let _ = write!(out, "M{left} {bottom}V{top}H{right}V{bottom}z");
    }
    out
}

fn y(value: f64, max: f64) -> i64 {
    (HEIGHT * (1.0 - value / max)).round() as i64
}

// A pointer or the arrows read a column here; the table below has the same numbers for everybody.
fn hover(stack: Stack, time: TimeAxis<'_>, column: &Column) -> impl IntoView + use<> {
    let (left, right) = (time.x(column.from_ms), time.x(column.to_ms));
    let mut text = format!(
        "{} to {} UTC\n{} {}",
        time.clock(column.from_ms),
        time.clock(column.to_ms),
        format::count(column.total()),
        stack.whole,
    );
    for (band, n) in stack.bands.iter().zip(&column.counts).filter(|(_, n)| **n > 0) {
        let _ = write!(text, "\n{} {}", format::count(*n), band.name);
    }
    view! {
        <rect class="hover" x=left y="0" width=(right - left).max(1) height="1000">
            <title>{text}</title>
        </rect>
    }
}

fn legend(stack: Stack, columns: &[Column]) -> impl IntoView + use<> {
    let whole: u64 = columns.iter().map(Column::total).sum();
    let row = |(i, band): (usize, &Band)| {
        let n: u64 = columns.iter().map(|column| column.counts[i]).sum();
        let class = format!("swatch {}", band.class);
        view! {
            <tr title=(stack.meanings)(i)>
                <th scope="row" class=class tabindex=words::tab_stop(i)>{band.name}</th>
                <td>{format::percent(words::share(n, whole))}</td>
                <td>{format::count(n)}</td>
            </tr>
        }
    };
    let rows = stack.bands.iter().enumerate().map(row).collect_view();
    view! {
        <table class="legend">
            <caption class="unseen">{stack.title}", added up"</caption>
            <thead>
                <tr>
                    <td></td>
                    <th scope="col">"share"</th>
                    <th scope="col">"in this range"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
            <tfoot>
                <tr>
                    <th scope="row">"all "{stack.whole}</th>
                    <td></td>
                    <td>{format::count(whole)}</td>
                </tr>
            </tfoot>
        </table>
    }
}

fn table(stack: Stack, time: TimeAxis<'_>, columns: &[Column]) -> impl IntoView + use<> {
    let heads = stack.bands.iter().map(|band| view! { <th scope="col">{band.name}</th> });
    let heads = heads.collect_view();
    let row = |column: &Column| {
        let cells = column.counts.iter().map(|n| view! { <td>{format::count(*n)}</td> });
        view! {
            <tr>
                <th scope="row">{time.clock(column.from_ms)}</th>
                {cells.collect_view()}
                <td>{format::count(column.total())}</td>
            </tr>
        }
    };
    let rows = columns.iter().rev().map(row).collect_view();
    view! {
        <details class="twin">
            <summary>"As a table"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=stack.title>
                <table>
                    <caption>{stack.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">"from, UTC"</th>
                            {heads}
                            <th scope="col">"all"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}
