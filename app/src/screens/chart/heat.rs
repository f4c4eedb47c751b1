use std::fmt::Write as _;

use leptos::prelude::*;
use strata_report::{BOUNDS_NS, HeatColumn, Histogram, Quantiles};

use super::TimeAxis;
use crate::format::{self, DASH};

const HEIGHT: f64 = 1_000.0;

/// Darker cells hold a greater part of their column: the upper bounds of the shades but the last.
const SHADES: [f64; 4] = [0.05, 0.15, 0.3, 0.5];

/// The percentiles that are drawn as lines.
type PercentileLine = (&'static str, fn(&Quantiles) -> u64);

const LINES: [PercentileLine; 3] =
    [("p50", |q| q.p50_ns), ("p95", |q| q.p95_ns), ("p99", |q| q.p99_ns)];

/// What a heat map shows.
#[derive(Clone, Copy)]
pub(in crate::screens) struct HeatContent {
    /// What it shows, for those who cannot see it; also the caption of its table.
    pub(in crate::screens) title: &'static str,
    /// The class that gives it its colour.
    pub(in crate::screens) class: &'static str,
    /// The durations in a column.
    pub(in crate::screens) of: fn(&HeatColumn) -> &Histogram,
}

/// Which durations a heat map shows: the whole decades that hold anything, counted from 10 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decades {
    lowest: usize,
    highest: usize,
}

/// How long something took, as a heat map with its percentiles.
pub(in crate::screens) struct HeatMap<'a> {
    of: HeatContent,
    time: TimeAxis<'a>,
    columns: &'a [HeatColumn],
}

impl<'a> HeatMap<'a> {
    /// Of these columns.
    pub(in crate::screens) fn new(
        of: HeatContent,
        time: TimeAxis<'a>,
        columns: &'a [HeatColumn],
    ) -> Self {
        Self { of, time, columns }
    }

    /// Draws it, or says that nothing was measured.
    pub(in crate::screens) fn draw(&self) -> AnyView {
        let mut all = Histogram::default();
        self.columns.iter().for_each(|column| all.merge((self.of.of)(column)));
        let (Some(decades), Some(quantiles)) = (decades(&all), Quantiles::of(&all)) else {
            return view! { <p class="empty">"Nothing was measured in this time."</p> }.into_any();
        };
        let shades = (0..=SHADES.len()).map(|shade| {
            view! { <path class=format!("heat-{shade}") d=self.cells(decades, shade) /> }
        });
        let shades = shades.collect_view();
        let lines = LINES.map(|(name, of)| view! { <path class=name d=self.line(decades, of) /> });
        let lines = lines.into_iter().collect_view();
        let numbers = LINES.map(|(name, of)| {
            view! { <dt class=name>{name}</dt><dd>{format::duration(Some(of(&quantiles)))}</dd> }
        });
        let numbers = numbers.into_iter().collect_view();
        let ticks = ticks(decades).map(|text| view! { <span>{text}</span> }).collect_view();
        view! {
            <dl class="quantiles">{numbers}</dl>
            <div class="chart heat">
                <div class="chart-y" aria-hidden="true">{ticks}</div>
                <div class="chart-plot">
                    <svg
                        class=self.of.class
                        role="img"
                        aria-label=self.of.title
                        viewBox="0 0 1000 1000"
                        preserveAspectRatio="none"
                    >
                        {self.time.unknown()} {shades} {grid(decades)} {lines} {self.time.marker_lines()}
                    </svg>
                </div>
                {self.time.labels()}
            </div>
            {self.table()}
        }
        .into_any()
    }

    fn cells(&self, decades: Decades, shade: usize) -> String {
        let mut out = String::new();
        for column in self.columns {
            let histogram = (self.of.of)(column);
            let count = histogram.count();
            let (left, right) = (self.time.x(column.from_ms), self.time.x(column.to_ms));
            for (bucket, n) in histogram.counts().iter().copied().enumerate() {
                if n == 0 || shade_of(n as f64 / count as f64) != shade {
                    continue;
                }
                let (bottom, top) = (y(decades, bucket as f64), y(decades, bucket as f64 + 1.0));
                // Writing to a string cannot fail.
                let _ = write!(out, "M{left} {bottom}V{top}H{right}V{bottom}z");
            }
        }
        out
    }

    fn line(&self, decades: Decades, of: fn(&Quantiles) -> u64) -> String {
        let mut out = String::new();
        let mut last_end = None;
        for column in self.columns {
            let Some(quantiles) = Quantiles::of((self.of.of)(column)) else { continue };
            let (left, right) = (self.time.x(column.from_ms), self.time.x(column.to_ms));
            let y = y(decades, place(of(&quantiles)));
            // Where nobody measured, the line is broken.
            let letter = if last_end == Some(column.from_ms) { 'L' } else { 'M' };
            let _ = write!(out, "{letter}{left} {y}L{right} {y}");
            last_end = Some(column.to_ms);
        }
        out
    }

    fn table(&self) -> impl IntoView + use<> {
        let row = |column: &HeatColumn| {
            let histogram = (self.of.of)(column);
            let quantiles = Quantiles::of(histogram);
            let cells = LINES.map(|(_, of)| {
                let text =
                    quantiles.as_ref().map_or(DASH.to_owned(), |q| format::duration(Some(of(q))));
                view! { <td>{text}</td> }
            });
            view! {
                <tr>
                    <th scope="row">{self.time.clock(column.from_ms)}</th>
                    {cells.into_iter().collect_view()}
                    <td>{format::count(histogram.count())}</td>
                </tr>
            }
        };
        let rows = self.columns.iter().rev().map(row).collect_view();
        let title = self.of.title;
        view! {
            <details class="twin">
                <summary>"As a table"</summary>
                <div class="scroll" tabindex="0" role="region" aria-label=title>
                    <table>
                        <caption>{title}</caption>
                        <thead>
                            <tr>
                                <th scope="col">"from, UTC"</th>
                                <th scope="col">"p50"</th>
                                <th scope="col">"p95"</th>
                                <th scope="col">"p99"</th>
                                <th scope="col">"measured"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        }
    }
}

fn decades(all: &Histogram) -> Option<Decades> {
    let first = all.counts().iter().position(|n| *n > 0)?;
    let last = all.counts().iter().rposition(|n| *n > 0)?;
    let lowest = (first + BEFORE) / PER_DECADE;
    Some(Decades { lowest, highest: (last + 1 + BEFORE).div_ceil(PER_DECADE).max(lowest + 1) })
}

// So many buckets are in a decade; the first one ends at 100 ns, as the sixth from 10 ns would.
const PER_DECADE: usize = 6;
const BEFORE: usize = PER_DECADE - 1;

fn shade_of(share: f64) -> usize {
    SHADES.iter().filter(|bound| share > **bound).count()
}

// Buckets are about equally wide on a logarithmic scale, so they are drawn equally high.
fn y(decades: Decades, bucket: f64) -> i64 {
    let n = ((decades.highest - decades.lowest) * PER_DECADE) as f64;
    let from_low = bucket + BEFORE as f64 - (decades.lowest * PER_DECADE) as f64;
    (HEIGHT * (1.0 - from_low / n)).clamp(0.0, HEIGHT).round() as i64
}

// Where a duration lies among the buckets, parts of a bucket included.
fn place(ns: u64) -> f64 {
    let bucket = Histogram::bucket_of(ns);
    let low = if bucket == 0 { 50 } else { BOUNDS_NS[bucket - 1] };
    let Some(high) = BOUNDS_NS.get(bucket) else { return bucket as f64 };
    let into = (ns.max(low) as f64 / low as f64).ln() / (*high as f64 / low as f64).ln();
    bucket as f64 + into
}

// From the top: a label a decade.
fn ticks(decades: Decades) -> impl Iterator<Item = String> {
    (decades.lowest..=decades.highest).rev().map(decade)
}

fn decade(number: usize) -> String {
    const UNITS: [&str; 4] = ["ns", "µs", "ms", "s"];
    let power = number + 1;
    let unit = UNITS[(power / 3).min(3)];
    format!("{} {unit}", 10_u64.pow((power - 3 * (power / 3).min(3)) as u32))
}

// A line a decade between the lowest and the highest.
fn grid(decades: Decades) -> impl IntoView {
    let n = decades.highest - decades.lowest;
    let line = move |i: usize| {
        let y = HEIGHT * i as f64 / n as f64;
        view! { <line class="grid" x1="0" x2="1000" y1=y y2=y /> }
    };
    (1..n).map(line).collect_view()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn histogram(us: &[u64]) -> Histogram {
        let mut out = Histogram::default();
        us.iter().for_each(|us| out.record(Duration::from_micros(*us)));
        out
    }

    #[test]
    fn the_axis_reaches_from_decade_to_decade() {
        let told = |us: &[u64]| ticks(decades(&histogram(us)).unwrap()).collect::<Vec<_>>();
        assert_eq!(told(&[20, 70]), ["100 µs", "10 µs"]);
        assert_eq!(told(&[2, 5_000]), ["10 ms", "1 ms", "100 µs", "10 µs", "1 µs"]);
        assert_eq!(told(&[0]), ["100 ns", "10 ns"]);
        assert_eq!(told(&[90_000_000]), ["100 s", "10 s"]);
        assert_eq!(super::decades(&Histogram::default()), None);
    }

    #[test]
    fn a_duration_lies_between_its_decades() {
        let decades = decades(&histogram(&[2, 5_000])).unwrap();
        assert_eq!(y(decades, place(1_000)), 1_000);
        assert_eq!(y(decades, place(100_000)), 500);
        assert_eq!(y(decades, place(10_000_000)), 0);
    }

    #[test]
    fn a_longer_duration_lies_higher() {
        let places = [700, 1_000, 1_200, 50_000, 3_000_000].map(place);
        assert!(places.is_sorted(), "{places:?}");
        let decades = decades(&histogram(&[1, 1_000])).unwrap();
        assert!(y(decades, place(2_000)) > y(decades, place(900_000)));
    }

    #[test]
    fn a_fuller_cell_is_darker() {
        assert_eq!([0.01, 0.1, 0.2, 0.4, 1.0].map(shade_of), [0, 1, 2, 3, 4]);
    }
}
