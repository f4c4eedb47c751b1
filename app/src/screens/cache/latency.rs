use leptos::prelude::*;

use super::view::CacheView;
use crate::screens::chart::{HeatContent, HeatMap};
use crate::screens::page_frame::{in_words, titled_card};

const L1: HeatContent =
    HeatContent { title: "How long gets in L1 took", class: "l1", of: |column| &column.l1 };
const L2: HeatContent =
    HeatContent { title: "How long gets in L2 took", class: "l2", of: |column| &column.l2 };
const LOADS: HeatContent =
    HeatContent { title: "How long loads took", class: "source", of: |column| &column.loads };

/// How long gets in each level and loads took, as heat maps with their percentiles.
pub(super) fn cards(view: &CacheView<'_>) -> AnyView {
    let sampled = match view.details.frame.report.l1.gets.sampled_one_in {
        0 | 1 => "every get is timed".to_owned(),
        n => format!("one get in {n} is timed"),
    };
    let reach = in_words(view.past.range);
    let notes = [sampled, "network included".to_owned(), "those that answered".to_owned()];
    let names =
        [("latency-l1", "Gets in L1"), ("latency-l2", "Gets in L2"), ("latency-loads", "Loads")];
    let card =
        |((name, title), (of, note)): ((&'static str, &'static str), (HeatContent, String))| {
            let note = format!("the last {reach}; {note}");
            let heat = HeatMap::new(of, view.time, &view.past.heat).draw();
            titled_card(name, title, note, view! {{heat}})
        };
    let cards = names.into_iter().zip([L1, L2, LOADS].into_iter().zip(notes)).map(card);
    cards.collect_view().into_any()
}
