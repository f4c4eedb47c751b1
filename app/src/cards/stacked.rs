use leptos::prelude::*;
use strata_report::{CacheReport, Point, Window};

use crate::charts::{Band, Legend, Stacked, Table, at_cursor, stack, table_rows};
use crate::format;
use crate::hints::Hint;
use crate::live::Live;
use crate::ui::Card;

/// What a card with a stacked chart counts, and how it says so.
#[derive(Clone, Copy)]
pub(super) struct StackedCounts {
    /// The card's class and id.
    pub(super) name: &'static str,
    /// The card's heading.
    pub(super) title: &'static str,
    /// What holds for all its numbers.
    pub(super) note: &'static str,
    /// The chart, for those who cannot see it.
    pub(super) chart_title: &'static str,
    /// The table's caption.
    pub(super) caption: &'static str,
    /// What is counted.
    pub(super) hint: Hint,
    /// The bands, lowest first.
    pub(super) bands: &'static [Band],
    /// A band's count in one step of the chart.
    pub(super) in_point: fn(&Point, usize) -> u64,
    /// A band's count in the last seconds.
    pub(super) in_window: fn(&Window, usize) -> u64,
    /// A band's count since the start.
    pub(super) in_report: fn(&CacheReport, usize) -> u64,
}

/// A card with a stacked chart of the last minutes, its legend with the numbers, and its table.
#[component]
pub(super) fn StackedCard(
    /// What it counts.
    counted: StackedCounts,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let StackedCounts { bands, in_point, in_window, in_report, .. } = counted;
    let n = bands.len();
    let cursor = RwSignal::new(None);
    let chart = Memo::new(move |_| live.points.with(|points| stack(points, n, in_point)));
    let rows = Memo::new(move |_| live.points.with(|points| table_rows(points, n, in_point)));
    let pointed = Signal::derive(move || {
        let x = cursor.get()?;
        live.points.with(|points| at_cursor(points, x).copied())
    });
    let shown = Signal::derive(move || match pointed.get() {
        Some(point) => ((0..n).map(|i| in_point(&point, i)).collect(), point.span_ms),
        None => live
            .recent
            .with(|recent| ((0..n).map(|i| in_window(recent, i)).collect(), recent.span_ms)),
    });
    let totals = Signal::derive(move || {
        let total = |i| live.frame.with(|f| f.own_caches().map(|c| in_report(&c.report, i)).sum());
        (0..n).map(total).collect()
    });
    let note = move || match pointed.get() {
        Some(point) => format!("at {} UTC", format::clock(point.at_ms)),
        None => counted.note.to_owned(),
    };
    view! {
        <Card name=counted.name title=counted.title note=Signal::derive(note)>
            <Stacked title=counted.chart_title bands=bands chart=chart cursor=cursor />
            <Legend bands=bands hint=counted.hint shown=shown totals=totals />
            <Table caption=counted.caption bands=bands rows=rows />
        </Card>
    }
    .into_any()
}
