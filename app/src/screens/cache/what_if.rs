use std::fmt::Write as _;

use leptos::prelude::*;
use strata_report::WhatIf;

use super::view::CacheView;
use crate::format;
use crate::screens::page_frame::titled_card;

/// What L1 would answer with another size.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let curve = view.details.frame.report.what_if.as_ref();
    let note = curve.map_or("not simulated".to_owned(), |curve| {
        format!(
            "an estimate from about one key in {}, since the start",
            format::short(curve.sampled_one_in, 0)
        )
    });
    let advice = view.details.advice.clone();
    titled_card(
        "what-if",
        "What if L1 were larger or smaller?",
        note,
        view! {
            <p class="advice">{advice}</p>
            {curve.map_or_else(nothing, body)}
        },
    )
}

fn nothing() -> AnyView {
    view! { <p class="empty">"Other sizes are not simulated for this cache."</p> }.into_any()
}

fn body(curve: &WhatIf) -> AnyView {
    let point = |factor: f64| curve.hit_ratio(factor).map(|ratio| (factor, ratio));
    let points: Vec<(f64, f64)> =
        curve.points.iter().filter_map(|p| point(p.capacity_factor)).collect();
    if points.is_empty() {
        return view! { <p class="empty">"Too few reads were seen to say."</p> }.into_any();
    }
    let now = points.iter().position(|(factor, _)| *factor == 1.0);
    let now_x = now.map(|i| x(i, points.len()));
    let row = |(factor, ratio): &(f64, f64)| {
        let is_now = *factor == 1.0;
        let size = if is_now { "as it is".to_owned() } else { size(*factor) };
        view! {
            <tr aria-current=is_now.then_some("true")>
                <th scope="row">{size}</th>
                <td>{format::percent(Some(*ratio))}</td>
            </tr>
        }
    };
    let rows = points.iter().map(row).collect_view();
    let marker = now_x.map(|x| view! { <line class="now" x1=x x2=x y1="0" y2="1000" /> });
    view! {
        <div class="what-if-body">
            <div class="chart curve">
                <div class="chart-y" aria-hidden="true">
                    <span>"100 %"</span>
                    <span>"50 %"</span>
                    <span>"0"</span>
                </div>
                <div class="chart-plot">
                    <svg role="img" aria-label="Share of reads that L1 would answer, by its size; the size it has is marked" viewBox="0 0 1000 1000" preserveAspectRatio="none">
                        <line class="grid" x1="0" x2="1000" y1="500" y2="500" />
                        <path class="area l1" d=area(&points) />
                        <path class="edge l1" d=line(&points) />
                        {marker}
                    </svg>
                </div>
                <div class="chart-x" aria-hidden="true">
                    <span>"smaller"</span>
                    <span>"larger"</span>
                </div>
            </div>
            <table class="rows">
                <caption class="unseen">"Share of reads that L1 would answer, by its size"</caption>
                <thead>
                    <tr>
                        <th scope="col">"size of L1"</th>
                        <th scope="col">"L1 answers"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn size(factor: f64) -> String {
    if factor >= 1.0 {
        return format!("{} ×", format::short(factor, 2));
    }
    format!("1/{} ×", format::short(1.0 / factor, 1))
}

fn x(i: usize, n: usize) -> i64 {
    if n < 2 { 500 } else { (i * 1000 / (n - 1)) as i64 }
}

fn y(ratio: f64) -> i64 {
    (1000.0 * (1.0 - ratio)).round() as i64
}

fn line(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    for (i, (_, ratio)) in points.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(out, "{letter}{} {}", x(i, points.len()), y(*ratio));
    }
    out
}

fn area(points: &[(f64, f64)]) -> String {
    format!("{}V1000H0z", line(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_multiples_and_parts() {
        assert_eq!([0.25, 0.5, 2.0, 4.0].map(size), ["1/4 ×", "1/2 ×", "2 ×", "4 ×"]);
    }

    #[test]
    fn more_hits_lie_higher() {
        assert_eq!(line(&[(0.5, 0.5), (1.0, 0.75), (2.0, 1.0)]), "M0 500L500 250L1000 0");
    }
}
