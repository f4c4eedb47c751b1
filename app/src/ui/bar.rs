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
    /// The parts, from left to right; their number never changes.
    segments: Memo<Vec<Segment>>,
) -> impl IntoView {
    let classes = segments.with_untracked(|all| all.iter().map(|s| s.class).collect::<Vec<_>>());
    let rects = classes.into_iter().enumerate().map(|(i, class)| {
        let x = move || segments.with(|all| units(all[..i].iter().map(|s| s.share).sum()));
        let width = move || segments.with(|all| units(all[i].share));
        view! { <rect class=class x=x width=width y="0" height="10" /> }
    });
    view! {
        <svg class="bar" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
            {rects.collect_view()}
        </svg>
    }
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

fn units(share: f64) -> i64 {
    (share.clamp(0.0, 1.0) * WIDTH).round() as i64
}
