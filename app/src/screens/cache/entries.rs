use leptos::prelude::*;
use strata_report::{Expiries, LogHistogram};

use super::view::CacheView;
use crate::format;
use crate::screens::chart::{Bucket, Buckets, Unit, filled};
use crate::screens::page_frame::titled_card;

/// How many entries of L1 expire soon.
pub(super) fn time_left(view: &CacheView<'_>) -> AnyView {
    let expiries = view.details.expiries;
    let of = format::plural(expiries.entries, "fresh entry", "fresh entries");
    let note = if expiries.sampled { format!("a sample of {of}") } else { of };
    let idle_ms = view.details.frame.report.settings.l1_time_to_idle_ms;
    titled_card(
        "time-left",
        "When entries of L1 expire",
        note,
        view! {
            {body(expiries, idle_ms)}
        },
    )
}

// Deadlines are all that is known: when an entry was last read is not.
fn body(expiries: Expiries, idle_ms: Option<u64>) -> AnyView {
    if expiries.entries == 0 {
        return view! { <p class="empty">"L1 holds no fresh entries."</p> }.into_any();
    }
    let Expiries { within_1_min, within_10_min, within_1_h, .. } = expiries;
    let bucket = |name: &str, count: u64| Bucket { name: name.to_owned(), count };
    let buckets = Buckets {
        caption: "Fresh entries of L1 by when they expire",
        head: "expires",
        class: "l1",
        buckets: vec![
            bucket("within 1 min", within_1_min),
            bucket("1 to 10 min", within_10_min.saturating_sub(within_1_min)),
            bucket("10 min to 1 h", within_1_h.saturating_sub(within_10_min)),
            bucket("later or never", expiries.entries.saturating_sub(within_1_h)),
        ],
        whole: expiries.entries,
        unit: Unit::Count,
    };
    let peak = peak(expiries, idle_ms);
    let idle = idle_ms.map(|idle_ms| {
        let text = format!(
            "These are the latest moments: an entry that nobody reads for {} leaves L1 then.",
            format::span(idle_ms)
        );
        view! { <p class="small">{text}</p> }
    });
    view! { {buckets.draw()} {idle} {peak} }.into_any()
}

/// When most entries expire together. Further ahead than an idle entry lives, nothing can be said.
fn peak(expiries: Expiries, idle_ms: Option<u64>) -> Option<AnyView> {
    let in_s = expiries.busiest_in_s?;
    if idle_ms.is_some_and(|idle_ms| in_s * 1_000 >= idle_ms) {
        return None;
    }
    let n = format::plural(expiries.busiest_10_s, "entry expires", "entries expire");
    let when = match in_s {
        0 => "now".to_owned(),
        s => format!("in {}", format::span(s * 1000)),
    };
    let text =
        format!("The busiest ten seconds begin {when}: {n} then, and may have to be loaded again.");
    Some(view! { <p class="small">{text}</p> }.into_any())
}

/// How large entries are.
pub(super) fn sizes(view: &CacheView<'_>) -> AnyView {
    let report = &view.details.frame.report;
    let (of, note, class) = match &view.details.l1_bytes {
        Some(l1) => (l1, "entries in L1, as weighed", "l1"),
        None => (&report.l2_put_bytes, "entries encoded for L2, since the start", "l2"),
    };
    titled_card(
        "sizes",
        "How large entries are",
        note.to_owned(),
        view! {
            {size_bars(of, class)}
        },
    )
}

fn size_bars(sizes: &LogHistogram, class: &'static str) -> AnyView {
    if sizes.count() == 0 {
        return view! { <p class="empty">"No entry was measured yet."</p> }.into_any();
    }
    let bars = Buckets {
        caption: "Entries by size",
        head: "size",
        class,
        buckets: filled(sizes, format::bytes),
        whole: sizes.count(),
        unit: Unit::Count,
    };
    bars.draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_knows_that_idle_entries_leave_earlier() {
        let expiries = Expiries {
            entries: 10,
            within_10_min: 10,
            within_1_h: 10,
            busiest_10_s: 4,
            busiest_in_s: Some(240),
            ..Expiries::default()
        };
        let drawn = |idle_ms| Owner::new().with(|| body(expiries, idle_ms).to_html());
        assert!(drawn(None).contains("busiest ten seconds") && !drawn(None).contains("latest"));
        let idle = drawn(Some(30_000));
        assert!(idle.contains("nobody reads for 30") && !idle.contains("busiest"), "{idle}");
        assert!(drawn(Some(300_000)).contains("busiest ten seconds begin in 4"));
    }
}
