use leptos::prelude::*;
use strata_report::{Marker, Past, Range};

use crate::format;

/// The time axis of charts: from where to where, and what happened on it.
#[derive(Clone, Copy)]
pub(in crate::screens) struct Time<'a> {
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

impl<'a> Time<'a> {
    /// The axis that ends with the newest step.
    pub(in crate::screens) fn of(past: &'a Past, now_ms: u64) -> Self {
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

    /// The labels below.
    pub(super) fn labels(&self) -> impl IntoView + use<> {
        let texts = match self.range {
            Range::Minute => ["−60 s", "−45", "−30", "−15", "now"],
            Range::Quarter => ["−15 min", "", "−7½", "", "now"],
            Range::TwoHours => ["−2 h", "−90 min", "−60", "−30", "now"],
            Range::Day => ["−24 h", "−18", "−12", "−6", "now"],
        };
        let labels = texts.map(|text| view! { <span>{text}</span> }).into_iter().collect_view();
        view! { <div class="chart-x" aria-hidden="true">{labels}</div> }
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
        let clock = format::clock(at_ms);
        match self.range {
            Range::Minute | Range::Quarter => clock,
            Range::TwoHours | Range::Day => clock[..5].to_owned(),
        }
    }
}

/// What an operator did, as a line of a list.
pub(in crate::screens) fn sentence(marker: &Marker) -> String {
    let Marker { action, cache, target, actor, result, .. } = marker;
    let action = action.replace('_', " ");
    let clock = format::clock(marker.at_ms);
    format!("{clock} UTC · {actor}: {action} {cache} {target} · {result}")
}

#[cfg(test)]
mod tests {
    use strata_report::{Point, Step};

    use super::*;

    #[test]
    fn the_axis_ends_with_the_newest_step() {
        let point = Point { at_ms: 100_000, ..Point::default() };
        let steps = vec![Step { point, ..Step::default() }];
        let past = Past { range: Range::Minute, steps, ..Past::default() };
        let time = Time::of(&past, 0);
        assert_eq!([40_000, 70_000, 100_000, 200_000].map(|at| time.x(at)), [0, 500, 1000, 1000]);
        assert_eq!(time.x(0), 0);
    }
}
