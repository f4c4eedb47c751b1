use leptos::prelude::*;
use strata_report::LogHistogram;

use super::page::Seen;
use crate::format;
use crate::screens::chart::{Buckets, Unit, filled};
use crate::screens::sheet::titled;

/// How large entries are.
pub(super) fn card(seen: &Seen<'_>) -> AnyView {
    let report = &seen.details.frame.report;
    let (of, note, class) = match &seen.details.l1_bytes {
        Some(l1) => (l1, "entries in L1, as weighed", "l1"),
        None => (&report.l2_put_bytes, "entries made ready for L2, since the start", "l2"),
    };
    titled(
        "sizes",
        "How large entries are",
        note.to_owned(),
        view! {
            {body(of, class)}
        },
    )
}

fn body(sizes: &LogHistogram, class: &'static str) -> AnyView {
    if sizes.count() == 0 {
        return view! { <p class="empty">"No entry was measured yet."</p> }.into_any();
    }
    let buckets = Buckets {
        caption: "Entries by size",
        head: "size",
        class,
        buckets: filled(sizes, format::bytes),
        whole: sizes.count(),
        unit: Unit::Count,
    };
    buckets.draw()
}
