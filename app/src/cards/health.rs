use leptos::prelude::*;
use strata_report::Frame;

use crate::format;
use crate::hints;
use crate::live::Live;
use crate::ui::{Badge, Number, Tone};

/// How Redis and the bus are: a line, and a banner when Redis is away.
#[component]
pub(crate) fn Health() -> impl IntoView {
    let live = expect_context::<Live>();
    let text = move |of: fn(&Frame) -> String| Signal::derive(move || live.frame.with(of));
    let tone = Signal::derive(move || {
        live.frame.with(|frame| match (frame.redis.configured, frame.redis.up) {
            (false, _) => Tone::Plain,
            (true, true) => Tone::Good,
            (true, false) => Tone::Bad,
        })
    });
    let configured = move || live.frame.with(|frame| frame.redis.configured);
    view! {
        <section class="health" aria-label="Redis and the bus">
            <Badge text=text(redis) tone=tone />
            <Show when=configured>
                <dl>
                    <Number hint=hints::BREAKER value=text(breaker) />
                    <Number hint=hints::QUEUE value=text(queued) />
                    <Number hint=hints::BUS_LAG value=text(lag) />
                    <Number hint=hints::GAPS value=text(gaps) />
                </dl>
            </Show>
            <p>{text(nodes)}</p>
        </section>
        <Banner />
    }
    .into_any()
}

#[component]
fn Banner() -> impl IntoView {
    let live = expect_context::<Live>();
    let away = move || live.frame.with(|f| f.redis.configured && !f.redis.up);
    let waiting = move || match live.frame.with(total_queued) {
        0 => "New invalidations wait".to_owned(),
        n => format!("{} now", format::plural(n, "invalidation waits", "invalidations wait")),
    };
    view! {
        <div role="alert" class="banner-place">
            <Show when=away>
                <div class="banner">
                    <p>
                        <strong>"Redis is away. "</strong>
                        "L1 and the database answer reads, so the database does more work. L1 entries live shorter, because nodes do not receive each other's invalidations. "
                        {waiting} " and are replayed before Redis is trusted again."
                    </p>
                </div>
            </Show>
        </div>
    }
}

fn redis(frame: &Frame) -> String {
    let redis = &frame.redis;
    match (redis.configured, redis.up) {
        (false, _) => "No Redis: L1 only".to_owned(),
        (true, false) => "Redis away".to_owned(),
        (true, true) => format!("Redis {} up", redis.version.as_deref().unwrap_or("")),
    }
}

fn breaker(frame: &Frame) -> String {
    match frame.node_sums.breaker_open {
        0 => "closed".to_owned(),
        open => format!("open on {open} of {}", frame.node_sums.nodes),
    }
}

fn total_queued(frame: &Frame) -> u64 {
    frame.node_sums.queued_invalidations
}

fn queued(frame: &Frame) -> String {
    format::count(total_queued(frame))
}

fn lag(frame: &Frame) -> String {
    format::lag(frame.node_sums.bus_lag.quantile_ns(0.95))
}

fn gaps(frame: &Frame) -> String {
    format::count(frame.node_sums.gaps)
}

fn nodes(frame: &Frame) -> String {
    let n = frame.node_sums.nodes;
    let up = format::span(frame.at_ms.saturating_sub(frame.started_at_ms));
    let silent = frame.node_sums.bus_silent;
    let silent =
        if silent > 0 { format!(", {silent} not receiving invalidations") } else { String::new() };
    format!("{}{silent} · counting for {up}", format::plural(n, "node", "nodes"))
}
