use axum::http::StatusCode;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::{Level, MeasuredRow, MeasuredTable, MeasurementState, Speed};

use crate::addresses::at;
use crate::api::{ApiError, Measure, StopMeasuring};
use crate::format;
use crate::screens::PageRequest;
use crate::screens::page_frame::{PageFrame, PageHtml, titled_card};

/// Draws the measured table.
pub(crate) async fn measured(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let lab = request.lab.as_ref().ok_or_else(|| ApiError::Away("find the lab".to_owned()))?;
    Ok(draw(&lab.measured(), request.refusal(), request.failure()))
}

fn draw(measured: &MeasurementState, refusal: Option<String>, failure: Option<String>) -> PageHtml {
    let frame = PageFrame { class: "measured-page", every_s: measured.running.map(|_| 1) };
    let failure = failure.map(|why| view! { <div class="banner" role="alert"><p>{why}</p></div> });
    frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head">
                <h1>"Measured"</h1>
                <p class="small">"What a read costs on this machine · "<a href=at("/lab")>"All lessons"</a></p>
            </div>
            {failure}
            {press(measured, refusal)}
            {table(measured)}
        },
    )
}

fn press(measured: &MeasurementState, refusal: Option<String>) -> AnyView {
    let disabled = refusal.is_some();
    let (path, text) = match measured.running {
        Some(_) => (StopMeasuring::PATH, "Stop"),
        None => (Measure::PATH, "Measure now"),
    };
    let state = match (measured.running, &measured.failure) {
        (Some((done, of)), _) => (format!("{done} of {of} lines are measured…"), "running"),
        (None, Some(why)) => (format!("Failed to {why}."), "failed"),
        (None, None) if measured.table.is_some() => ("Done.".to_owned(), "done"),
        (None, None) => ("Nothing was measured yet.".to_owned(), "empty"),
    };
    let progress = measured.running.map(|(done, of)| {
        view! { <progress max=of.to_string() value=done.to_string() aria-label="Lines measured"></progress> }
    });
    let again = measured.running.map(|_| {
        view! { <a class="button unless-live" href=at("/lab/measured")>"Look again"</a> }
    });
    titled_card(
        "run-controls",
        "Measure",
        "takes about ten seconds",
        view! {
            <p>"One reader reads repeatedly, then sixteen readers at once: from L1 (moka, in the process), from Redis (one GET, through a cache with an empty L1) and from the database (SQLite in memory, one SELECT by key, one connection). A database across a network takes longer."</p>
            <p role="status" class="phase" data-testid="phase" data-phase=state.1>{state.0}</p>
            {progress}
            <div class="acts">
                <form action=at(path) method="post">
                    <button type="submit" class="button strong" disabled=disabled>{text}</button>
                    <p class="failure" role="alert"></p>
                </form>
                {again}
            </div>
            <p class="refusal">{refusal}</p>
        },
    )
}

fn table(measured: &MeasurementState) -> AnyView {
    let note = measured.table.as_ref().map_or_else(String::new, |table| note(table));
    let body = match &measured.table {
        None => view! { <p class="empty">"Press the button to fill this table."</p> }.into_any(),
        Some(table) => rows(table),
    };
    titled_card("measured", "A read, by where it is answered", note, body)
}

fn note(table: &MeasuredTable) -> String {
    let cpus = format::plural(table.n_cpus as u64, "processor", "processors");
    let took = format::span(table.took_ms);
    format!("at {} UTC, on {cpus}, took {took}", crate::screens::words::at(table.at_ms))
}

fn rows(table: &MeasuredTable) -> AnyView {
    let rows = table.rows.iter().map(row).collect_view();
    let no_redis = !table.rows.iter().any(|row| row.level == Level::L2);
    let no_redis = no_redis.then(|| {
        view! { <p class="small">"Strata runs without Redis, so it was not measured."</p> }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table of measurements">
            <table class="rows" data-testid="measured">
                <caption class="unseen">"Latency and throughput, by level and size of the value"</caption>
                <thead>
                    <tr>
                        <th rowspan="2" scope="col">"answered by"</th>
                        <th rowspan="2" scope="col">"value"</th>
                        <th colspan="3" scope="colgroup">"one reader"</th>
                        <th colspan="3" scope="colgroup">"sixteen at once"</th>
                    </tr>
                    <tr>
                        {heads()}
                        {heads()}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {no_redis}
    }
    .into_any()
}

fn heads() -> impl IntoView {
    view! {
        <th scope="col" tabindex="0" title="Half of the reads took no longer.">"p50"</th>
        <th scope="col" tabindex="-1" title="All but one in a hundred took no longer.">"p99"</th>
        <th scope="col" tabindex="-1" title="Reads a second, of all readers together.">"reads/s"</th>
    }
}

fn row(row: &MeasuredRow) -> impl IntoView + use<> {
    let (name, class) = match row.level {
        Level::L1 => ("L1", "swatch l1"),
        Level::L2 => ("Redis", "swatch l2"),
        Level::Source | Level::Nowhere => ("Database", "swatch source"),
    };
    view! {
        <tr>
            <th scope="row" class=class>{name}</th>
            <td>{size(row.value_bytes)}</td>
            {cells(row.alone)}
            {cells(row.crowd)}
        </tr>
    }
}

fn cells(speed: Speed) -> impl IntoView {
    view! {
        <td>{format::duration(Some(speed.p50_ns))}</td>
        <td>{format::duration(Some(speed.p99_ns))}</td>
        <td>{format::rate(Some(speed.per_s))}</td>
    }
}

// They are powers of ten, so they are told in tens.
fn size(bytes: usize) -> String {
    if bytes < 1_000 { format!("{bytes} B") } else { format!("{} kB", bytes / 1_000) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn html(measured: &MeasurementState) -> String {
        Owner::new().with(|| draw(measured, None, None).html)
    }

    fn filled() -> MeasurementState {
        let speed = Speed { reads: 9, p50_ns: 1_200, p99_ns: 3_400, per_s: 5_678.0 };
        let row =
            MeasuredRow { level: Level::L1, value_bytes: 100_000, alone: speed, crowd: speed };
        let table = MeasuredTable { at_ms: 0, took_ms: 9_000, n_cpus: 2, rows: vec![row] };
        MeasurementState { table: Some(Arc::new(table)), ..MeasurementState::default() }
    }

    #[test]
    fn every_state_is_told() {
        assert!(html(&MeasurementState::default()).contains("Nothing was measured yet."));
        let running = MeasurementState { running: Some((3, 12)), ..MeasurementState::default() };
        let running = html(&running);
        assert!(running.contains("3 of 12") && running.contains("data-every-s=\"1\""));
        assert!(running.contains("Stop") && !running.contains("Measure now"));
        let failed =
            MeasurementState { failure: Some("go on".to_owned()), ..MeasurementState::default() };
        assert!(
            html(&failed).contains("Failed to go on.") && html(&failed).contains("Measure now")
        );
    }

    #[test]
    fn the_table_says_when_and_where_it_was_measured() {
        let html = html(&filled());
        for text in ["1970-01-01 00:00:00 UTC", "2 processors", "100 kB", "5\u{202f}678"] {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(html.contains("without Redis"), "no line is of L2");
        assert!(!html.contains("style="));
    }
}
