use leptos::prelude::*;

const WIDTH: f64 = 1_000.0;

/// One part of a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Segment {
    /// The class that gives it its colour.
    pub(crate) class: &'static str,
    /// Its share of the whole, between 0 and 1.
    pub(crate) share: f64,
}

/// Parts of a whole, side by side. An ornament: the numbers stand beside it.
#[component]
pub(crate) fn Bar(
    /// The parts, from left to right; their number and classes never change.
    segments: Signal<Vec<Segment>>,
) -> impl IntoView {
    let classes = segments.with_untracked(|all| all.iter().map(|s| s.class).collect::<Vec<_>>());
    let part = |(i, class): (usize, &'static str)| {
        let d = Signal::derive(move || segments.with(|segments| path(segments, i)));
        view! { <path class=class d=d /> }
    };
    let parts = classes.into_iter().enumerate().map(part).collect_view();
    view! {
        <svg class="bar" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
            {parts}
        </svg>
    }
    .into_any()
}

/// How full something is.
#[component]
pub(crate) fn Meter(
    /// What is measured, for those who cannot see it.
    #[prop(into)]
    label: String,
    /// The class that gives it its colour.
    class: &'static str,
    /// Between 0 and 1; `None` where there is no limit.
    #[prop(into)]
    share: Signal<Option<f64>>,
) -> impl IntoView {
    let now = move || share.get().map(|share| (share.clamp(0.0, 1.0) * 100.0).floor() as u32);
    let width = move || units(share.get().unwrap_or(0.0));
    view! {
        <svg
            class="bar meter"
            role="meter"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || now().unwrap_or(0)
            aria-valuetext=move || now().map_or("no limit".to_owned(), |n| format!("{n} %"))
            viewBox="0 0 1000 10"
            preserveAspectRatio="none"
        >
            <rect class=class x="0" y="0" width=width height="10" />
        </svg>
    }
}

// The rectangle of one part.
fn path(segments: &[Segment], i: usize) -> String {
    let left = units(segments[..i].iter().map(|segment| segment.share).sum());
    let width = units(segments[i].share);
    if width > 0 { format!("M{left} 0h{width}v10h-{width}z") } else { String::new() }
}

fn units(share: f64) -> i64 {
    (share.clamp(0.0, 1.0) * WIDTH).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_side_by_side() {
        let part = |share| Segment { class: "", share };
        let parts = [part(0.6), part(0.0), part(0.4)];
        assert_eq!(path(&parts, 0), "M0 0h600v10h-600z");
        assert_eq!(path(&parts, 1), "");
        assert_eq!(path(&parts, 2), "M600 0h400v10h-400z");
    }
}
