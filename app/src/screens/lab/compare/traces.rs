use leptos::prelude::*;
use strata_demo::trace::{Recording, TraceStore, TraceSummary};
use strata_lab::Comparison;

use super::view::ComparisonView;
use crate::addresses::{at, comparison_address};
use crate::screens::page_frame::titled_card;

/// Recorded requests to pick from, and a form that sends the visitor's own.
pub(super) fn card(view: &ComparisonView) -> AnyView {
    let link = |listed: &TraceSummary| {
        let comparison = Comparison {
            settings: Comparison::base(Some(&listed.id)),
            trace: Some(listed.id.clone()),
            ..view.comparison.clone()
        };
        let is_here = (view.comparison.trace.as_ref() == Some(&listed.id)).then_some("true");
        view! {
            <li>
                <a href=comparison_address(&comparison) aria-current=is_here>{listed.title.clone()}</a>
                <p>{listed.what.clone()}</p>
            </li>
        }
    };
    let links = view.listed.iter().map(link).collect_view();
    let rivals =
        Comparison { settings: Comparison::base(None), trace: None, ..view.comparison.clone() };
    let hidden = rivals.fields().into_iter();
    let hidden = hidden.map(|(name, text)| view! { <input type="hidden" name=name value=text /> });
    let hidden = hidden.collect_view();
    let disabled = view.refusal.is_some();
    let limits = format!(
        "Plain text or gzip, one key a line, at most {} MiB; its first {} lines count. It stays in \
         memory until {} newer ones were sent, and only people with the link find it.",
        Recording::MAX_BYTES / (1_024 * 1_024),
        crate::format::count(Recording::MAX_LINES),
        TraceStore::MAX_UPLOADS,
    );
    titled_card(
        "traces",
        "Recorded requests",
        "instead of generated ones, and the share that L1 answers by its size",
        view! {
            <ul class="beside" data-testid="traces">{links}</ul>
            <form action=at("/lab/traces") method="post" enctype="multipart/form-data" class="upload" data-testid="upload">
                {hidden}
                <div class="field">
                    <label for="trace-file">"A trace of your own"</label>
                    <input type="file" id="trace-file" name="file" required=true aria-describedby="trace-limits" />
                </div>
                <button type="submit" class="button" disabled=disabled>"Send it"</button>
                <p class="small" id="trace-limits">{limits}</p>
                <p class="refusal">{view.refusal.clone()}</p>
            </form>
        },
    )
}
