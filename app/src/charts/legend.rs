use leptos::prelude::*;

use super::stacked::Band;
use crate::format::{self, DASH};
use crate::hints::Hint;

/// What a legend shows beside each band: counts, and the span that they cover in milliseconds.
pub(crate) type LegendCounts = (Vec<u64>, u64);

/// The bands of a stacked chart with their numbers: share and rate now, or where somebody
/// points, and counts since the start.
#[component]
pub(crate) fn Legend(
    /// The bands, in the order of the counts.
    bands: &'static [Band],
    /// What is counted.
    hint: Hint,
    /// The counts behind share and rate.
    shown: Signal<LegendCounts>,
    /// Counts since the start.
    totals: Signal<Vec<u64>>,
) -> impl IntoView {
    let row = |(i, band): (usize, &'static Band)| {
        let share = move || shown.with(|shown| format::percent(share(shown, i)));
        let rate = move || shown.with(|shown| format::rate(rate(shown, i)));
        let total = move || totals.with(|totals| totals.get(i).copied());
        let text = move || total().map_or(DASH.to_owned(), format::count);
        view! {
            <tr>
                <th scope="row" class=format!("swatch {}", band.class)>{band.name}</th>
                <td>{share}</td>
                <td>{rate}</td>
                <td data-testid=band.class data-value=total>{text}</td>
            </tr>
        }
    };
    let rows = bands.iter().enumerate().map(row).collect_view();
    view! {
        <table class="legend">
            <caption class="unseen">{hint.text}</caption>
            <thead>
                <tr>
                    <td></td>
                    <th scope="col">"share"</th>
                    <th scope="col">"per s"</th>
                    <th scope="col">"since start"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn share((counts, _): &LegendCounts, i: usize) -> Option<f64> {
    let all: u64 = counts.iter().sum();
    (all > 0).then(|| counts[i] as f64 / all as f64)
}

fn rate((counts, span_ms): &LegendCounts, i: usize) -> Option<f64> {
    (*span_ms > 0).then(|| counts[i] as f64 * 1000.0 / *span_ms as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_span_there_is_no_rate() {
        assert_eq!(rate(&(vec![0, 0], 0), 0), None);
    }

    #[test]
    fn an_idle_second_has_a_rate_of_zero_and_no_share() {
        assert_eq!(rate(&(vec![0, 4], 2000), 0), Some(0.0));
        assert_eq!(rate(&(vec![0, 4], 2000), 1), Some(2.0));
        assert_eq!(share(&(vec![0, 0], 1000), 0), None);
    }
}
