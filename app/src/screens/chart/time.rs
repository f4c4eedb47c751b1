use leptos::prelude::*;
use strata_report::{Marker, Range, RangeHistory};

use crate::format;
use crate::screens::words;

/// The time axis of charts: from where to where, and what happened on it.
#[derive(Clone, Copy)]
pub(in crate::screens) struct TimeAxis<'a> {
    /// Its left end, milliseconds since the epoch.
    pub(super) from_ms: u64,
    /// Its right end, milliseconds since the epoch.
    pub(super) to_ms: u64,
    /// How far it reaches.
    pub(super) range: Range,
    /// When somebody began to count, milliseconds since the epoch.
    since_ms: u64,
    markers: &'a [Marker],
}

impl<'a> TimeAxis<'a> {
    /// The axis that ends with the newest step.
    pub(in crate::screens) fn of(past: &'a RangeHistory, now_ms: u64) -> Self {
        let to_ms = past.steps.last().map_or(now_ms, |step| step.point.at_ms);
        let span_ms = past.range.span().as_millis() as u64;
        let from_ms = to_ms.saturating_sub(span_ms);
        let (range, since_ms) = (past.range, past.since_ms);
        Self { from_ms, to_ms, range, since_ms, markers: &past.markers }
    }

    /// Where an instant lies, in thousandths of the width.
    pub(super) fn x(&self, at_ms: u64) -> i64 {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        let into = at_ms.saturating_sub(self.from_ms) as f64;
        (into / span * 1000.0).clamp(0.0, 1000.0).round() as i64
    }

    /// The labels below: how long ago on a short axis, the time of day in UTC on a long one.
    pub(super) fn labels(&self) -> impl IntoView + use<> {
        let labels = match self.range {
            Range::Minute => {
                let texts = ["−60 s", "−45", "−30", "−15", "now"];
                texts.into_iter().map(|text| view! { <span>{text}</span> }.into_any()).collect()
            }
            Range::FifteenMinutes | Range::TwoHours | Range::Day => self.clock_labels(),
        };
        view! { <div class="chart-x" aria-hidden="true">{labels}</div> }
    }

    fn clock_labels(&self) -> Vec<AnyView> {
        let quarter = |i: u64| self.from_ms + (self.to_ms - self.from_ms) * i / 4;
        let label = |i: u64| {
            // The date stands where another day begins, and first where there is more than one.
            let before = if i == 0 { self.to_ms } else { quarter(i - 1) };
            let at_ms = quarter(i);
            let zone = if i == 0 { " UTC" } else { "" };
            let text = format!("{}{zone}", short(at_ms, before));
            view! { <time datetime=words::iso(at_ms)>{text}</time> }.into_any()
        };
        let now = view! { <time datetime=words::iso(self.to_ms)>"now"</time> }.into_any();
        (0..4).map(label).chain([now]).collect()
    }

    /// The part of the chart before anybody counted: not known, and not zero.
    pub(super) fn unknown(&self) -> impl IntoView + use<> {
        let width = self.x(self.since_ms);
        (width > 0).then(|| {
            view! {
                <rect class="unknown" x="0" y="0" width=width height="1000">
                    <title>"Not known: nobody counted yet."</title>
                </rect>
            }
        })
    }

    /// A line for each thing that an operator did.
    pub(super) fn marker_lines(&self) -> impl IntoView + use<> {
        let inside = self.markers.iter().filter(|marker| marker.at_ms >= self.from_ms);
        let line = |marker: &Marker| {
            let x = self.x(marker.at_ms);
            view! {
                <line class="marker" x1=x x2=x y1="0" y2="1000">
                    <title>{sentence(marker)}</title>
                </line>
            }
        };
        inside.map(line).collect_view()
    }

    /// The instants of this axis, said in words.
    pub(super) fn clock(&self, at_ms: u64) -> String {
        match self.range {
            Range::Minute | Range::FifteenMinutes => dated(at_ms, self.to_ms, format::clock(at_ms)),
            Range::TwoHours | Range::Day => short(at_ms, self.to_ms),
        }
    }
}

/// Hours and minutes, with the date where it is another day than `other_ms`.
fn short(at_ms: u64, other_ms: u64) -> String {
    dated(at_ms, other_ms, format::clock(at_ms)[..5].to_owned())
}

fn dated(at_ms: u64, other_ms: u64, clock: String) -> String {
    match at_ms / words::DAY_MS == other_ms / words::DAY_MS {
        true => clock,
        false => format!("{} {clock}", &words::iso(at_ms)[5..10]),
    }
}

/// When and what an operator did, as a line of text.
fn sentence(marker: &Marker) -> String {
    format!("{} UTC · {}", words::at(marker.at_ms), operator_action(marker))
}

/// What an operator did.
pub(in crate::screens) fn operator_action(marker: &Marker) -> String {
    let Marker { action, cache, target, actor, result, .. } = marker;
    let [target, result] = [target, result].map(|text| words::visible(text));
    let (actor, action) = (words::who(actor), action.replace('_', " "));
    format!("{actor}: {action} {cache} {target} · {result}")
}

#[cfg(test)]
mod tests {
    use strata_report::{Point, Step};

    use super::*;

    #[test]
    fn the_axis_ends_with_the_newest_step() {
        let point = Point { at_ms: 100_000, ..Point::default() };
        let steps = vec![Step { point, ..Step::default() }];
        let past = RangeHistory { range: Range::Minute, steps, ..RangeHistory::default() };
        let time = TimeAxis::of(&past, 0);
        assert_eq!([40_000, 70_000, 100_000, 200_000].map(|at| time.x(at)), [0, 500, 1000, 1000]);
        assert_eq!(time.x(0), 0);
    }

    fn day_until(at_ms: u64) -> RangeHistory {
        let point = Point { at_ms, ..Point::default() };
        let steps = vec![Step { point, ..Step::default() }];
        RangeHistory { range: Range::Day, steps, ..RangeHistory::default() }
    }

    #[test]
    fn a_long_axis_shows_clock_times_and_the_date_where_it_crosses_midnight() {
        let past = day_until(1_700_000_000_000);
        let time = TimeAxis::of(&past, 0);
        let html = Owner::new().with(|| time.labels().to_html());
        let texts = ["11-13 22:13 UTC", "11-14 04:13", "10:13", "16:13", "now"];
        for text in texts {
            assert!(html.contains(&format!(">{text}<")), "{text}: {html}");
        }
        assert!(html.contains("datetime=\"2023-11-13T22:13:20Z\""), "{html}");
        assert_eq!(time.clock(1_700_000_000_000), "22:13");
        assert_eq!(time.clock(1_700_000_000_000 - 80_000_000), "00:00");
        assert_eq!(time.clock(1_700_000_000_000 - 80_100_000), "11-13 23:58");
    }
}
