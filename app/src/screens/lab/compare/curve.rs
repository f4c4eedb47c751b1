use std::fmt::Write as _;

use leptos::prelude::*;
use strata_demo::trace::{Curve, CurvePoint, CurveState};

use super::view::ComparisonTrace;
use crate::format;
use crate::screens::page_frame::titled_card;

/// The share of a recording's requests that L1 answers, by its size.
pub(super) fn card(trace: &ComparisonTrace) -> AnyView {
    let recording = &trace.stored.recording;
    let note = format!(
        "{}, {} for {}",
        recording.title,
        format::plural(recording.requests.len() as u64, "request", "requests"),
        format::plural(u64::from(recording.n_keys), "key", "keys"),
    );
    let body = match &trace.curve {
        CurveState::Awaited | CurveState::Measuring => view! {
            <p class="empty" role="status" data-testid="curve" data-state="measuring">"It is being measured: real L1s of several sizes get every request."</p>
            <p class="unless-live"><a class="button" href="">"Look again"</a></p>
        }
        .into_any(),
        CurveState::Failed(why) => view! {
            <p class="empty" data-testid="curve" data-state="failed">{format!("Failed to {why}.")}</p>
        }
        .into_any(),
        CurveState::Done(curve) => chart(curve),
    };
    let played = played(trace).into_iter().map(|text| view! { <p class="small">{text}</p> });
    let played = played.collect_view();
    titled_card("size-curve", "L1’s share by its size", note, view! { {body}{played} })
}

fn played(trace: &ComparisonTrace) -> Vec<String> {
    let recording = &trace.stored.recording;
    let mut told = Vec::new();
    if trace.used.requests < recording.requests.len() {
        told.push(format!(
            "Strategies play its first {} requests, for {} keys; the curve is of all of it.",
            format::count(trace.used.requests as u64),
            format::count(u64::from(trace.used.keys)),
        ));
    }
    if recording.is_cut {
        told.push("It goes on after the lines that count.".to_owned());
    }
    if recording.n_skipped > 0 {
        told.push(format!(
            "{} no keys and were passed over.",
            format::plural(recording.n_skipped, "line is", "lines are")
        ));
    }
    told
}

fn chart(curve: &Curve) -> AnyView {
    let points = &curve.points;
    let row = |point: &CurvePoint| {
        view! {
            <tr>
                <th scope="row">{format!("{} ({} %)", format::count(point.entries), point.percent)}</th>
                <td>{format::percent(Some(point.l1))}</td>
                <td>{format::percent(Some(point.lru))}</td>
            </tr>
        }
    };
    let rows = points.iter().map(row).collect_view();
    let ceiling = y(curve.ceiling).to_string();
    let ends = [points.first(), points.last()];
    let [first, last] = ends.map(|end| end.map(|point| format!("{} %", point.percent)));
    view! {
        <div class="what-if-body" data-testid="curve" data-state="done">
            <div class="chart curve">
                <div class="chart-y" aria-hidden="true">
                    <span>"100 %"</span>
                    <span>"50 %"</span>
                    <span>"0"</span>
                </div>
                <div class="chart-plot">
                    <svg role="img" aria-label="Share of requests that L1 answers, by its size; the table says the same" viewBox="0 0 1000 1000" preserveAspectRatio="none">
                        <line class="grid" x1="0" x2="1000" y1="500" y2="500" />
                        <path class="area l1" d=format!("{}V1000H0z", line(points, |point| point.l1)) />
                        <path class="edge l1" d=line(points, |point| point.l1) />
                        <path class="edge lru" d=line(points, |point| point.lru) />
                        <line class="ceiling" x1="0" x2="1000" y1=ceiling.clone() y2=ceiling />
                    </svg>
                </div>
                <div class="chart-x" aria-hidden="true">
                    <span>{first}</span>
                    <span>"of the keys fit"</span>
                    <span>{last}</span>
                </div>
            </div>
            <table class="rows">
                <caption class="unseen">"Share of requests answered, by the size of L1"</caption>
                <thead>
                    <tr>
                        <th scope="col">"entries"</th>
                        <th scope="col" title="Measured on a real L1; it differs a little each time. The filled line.">"L1"</th>
                        <th scope="col" title="Calculated for an exact LRU of the same size. The dashed line.">"LRU"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <p class="small">{format!("No cache surpasses {}: each key must be loaded once (the dotted line).", format::percent(Some(curve.ceiling)))}</p>
    }
    .into_any()
}

fn line(points: &[CurvePoint], share: fn(&CurvePoint) -> f64) -> String {
    let mut out = String::new();
    for (i, point) in points.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(out, "{letter}{} {}", x(i, points.len()), y(share(point)));
    }
    out
}

fn x(i: usize, n: usize) -> usize {
    if n < 2 { 500 } else { i * 1_000 / (n - 1) }
}

fn y(share: f64) -> i64 {
    (1_000.0 * (1.0 - share)).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_hits_lie_higher_and_every_number_stands_in_the_table() {
        let point = |percent, l1, lru| CurvePoint { percent, entries: 10, l1, lru };
        let points = vec![point(1, 0.5, 0.25), point(50, 0.75, 0.5)];
        assert_eq!(line(&points, |point| point.l1), "M0 500L1000 250");
        let html = Owner::new().with(|| chart(&Curve { points, ceiling: 0.9 }).to_html());
        for text in ["50.0\u{202f}%", "75.0\u{202f}%", "25.0\u{202f}%", "90.0\u{202f}%"] {
            assert!(html.contains(text), "{text}");
        }
        assert!(html.contains("y1=\"100\""), "the ceiling");
    }
}
