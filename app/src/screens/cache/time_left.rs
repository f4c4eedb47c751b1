use leptos::prelude::*;
use strata_report::Expiries;

use super::page::Seen;
use crate::format;
use crate::screens::chart::{Bucket, Buckets};
use crate::screens::sheet::titled;

/// How many entries of L1 expire soon.
pub(super) fn card(seen: &Seen<'_>) -> AnyView {
    let expiries = seen.details.expiries;
    let of = format::plural(expiries.entries, "fresh entry", "fresh entries");
    let note = if expiries.sampled { format!("a sample of {of}") } else { of };
    titled(
        "time-left",
        "When entries of L1 expire",
        note,
        view! {
            {body(expiries)}
        },
    )
}

fn body(expiries: Expiries) -> AnyView {
    if expiries.entries == 0 {
        return view! { <p class="empty">"L1 holds nothing that is fresh."</p> }.into_any();
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
    };
    let wave = expiries.busiest_in_s.map(|s| {
        let n = format::plural(expiries.busiest_10_s, "entry expires", "entries expire");
        let when = match s {
            0 => "now".to_owned(),
            s => format!("in {}", format::span(s * 1000)),
        };
        view! { <p class="small">"The busiest ten seconds begin "{when}": "{n}" then, and may have to be loaded again."</p> }
    });
    view! { {buckets.draw()} {wave} }.into_any()
}
