use leptos::prelude::*;
use strata_report::{CacheFrame, Frame, RedisState};

use crate::format::{self, DASH};
use crate::hints;
use crate::live::Live;
use crate::ui::{Card, Label, Meter};

/// What Redis holds. Shared by all nodes, so nothing here is added up over them.
#[component]
pub(crate) fn L2() -> impl IntoView {
    let live = expect_context::<Live>();
    let entries = move || live.frame.with(|frame| sum(frame, |cache| cache.l2_entries));
    let weight = move || live.frame.with(|frame| sum(frame, |cache| cache.l2_weight_bytes));
    let entries_text = move || entries().map_or(DASH.to_owned(), format::count);
    let weight_text =
        move || weight().map_or(DASH.to_owned(), |n| format!("~{}", format::bytes(n)));
    view! {
        <Card name="l2" title="L2 holds" note=Signal::derive(move || live.frame.with(counted))>
            <dl class="holds">
                <div class="number big">
                    <dt>
                        <Label hint=hints::L2_ENTRIES />
                    </dt>
                    <dd data-testid="l2-entries" data-value=entries>
                        {entries_text}
                    </dd>
                </div>
                <div class="number big">
                    <dt>
                        <Label hint=hints::L2_WEIGHT />
                    </dt>
                    <dd>{weight_text}</dd>
                </div>
            </dl>
            <ul class="fills">
                <For each=move || live.caches.get() key=String::clone let:name>
                    <CacheShare name=name />
                </For>
                <Memory />
            </ul>
        </Card>
    }
    .into_any()
}

#[component]
fn CacheShare(name: String) -> impl IntoView {
    let live = expect_context::<Live>();
    let label = format!("{name}, of all entries in L2");
    let entries = live.cache_text(&name, |c| c.l2_entries.map_or(DASH.to_owned(), format::count));
    let part = live.cache_share(&name, |cache| cache.l2_entries.map(|n| n as f64));
    let share = Signal::derive(move || {
        let all = live.frame.with(|frame| sum(frame, |cache| cache.l2_entries))?;
        part.get().filter(|_| all > 0).map(|part| part / all as f64)
    });
    view! {
        <li>
            <span>{name}</span>
            <span class="of">{entries}</span>
            <Meter label=label class="l2" share=share />
        </li>
    }
}

#[component]
fn Memory() -> impl IntoView {
    let live = expect_context::<Live>();
    let share = Signal::derive(move || {
        live.frame.with(|frame| {
            let max = frame.redis.max_memory_bytes.filter(|max| *max > 0)?;
            Some(frame.redis.used_memory_bytes? as f64 / max as f64)
        })
    });
    view! {
        <li class="memory">
            <span title=hints::MEMORY.text>"Redis memory"</span>
            <span class="of">{move || live.frame.with(|frame| memory(&frame.redis))}</span>
            <Meter label="Redis memory" class="plain" share=share />
        </li>
    }
}

// Caches that were not counted are left out; `None` where none was.
fn sum(frame: &Frame, of: fn(&CacheFrame) -> Option<u64>) -> Option<u64> {
    frame.own_caches().filter_map(of).reduce(|a, b| a + b)
}

fn counted(frame: &Frame) -> String {
    match (frame.redis.configured, frame.redis.counted_at_ms) {
        (false, _) => "off".to_owned(),
        (true, None) => "not counted yet".to_owned(),
        (true, Some(at_ms)) => {
            format!("shared, counted {} ago", format::span(frame.at_ms.saturating_sub(at_ms)))
        }
    }
}

fn memory(redis: &RedisState) -> String {
    let Some(used) = redis.used_memory_bytes else { return DASH.to_owned() };
    let policy = redis.policy.as_deref().unwrap_or("policy unknown");
    match redis.max_memory_bytes.filter(|max| *max > 0) {
        Some(max) => format!("{} of {}, {policy}", format::bytes(used), format::bytes(max)),
        None => format!("{}, no limit", format::bytes(used)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_is_not_zero() {
        let frame = Frame { caches: vec![CacheFrame::default()], ..Frame::default() };
        assert_eq!(sum(&frame, |cache| cache.l2_entries), None);
    }

    #[test]
    fn the_note_says_when_it_was_counted() {
        let mut frame = Frame { at_ms: 60_000, ..Frame::default() };
        assert_eq!(counted(&frame), "off");
        frame.redis.configured = true;
        assert_eq!(counted(&frame), "not counted yet");
        frame.redis.counted_at_ms = Some(52_000);
        assert_eq!(counted(&frame), "shared, counted 8\u{202f}s ago");
    }
}
