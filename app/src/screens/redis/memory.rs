use leptos::prelude::*;
use strata_report::{RedisReport, RedisShare, RedisState};

use super::page::{pairs, refused, unknown};
use crate::format::{self, DASH};
use crate::screens::chart::{Bucket, Buckets, Unit};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// What Redis holds, and its limit.
pub(super) fn memory(report: &RedisReport) -> AnyView {
    let RedisState { version, used_memory_bytes: used, max_memory_bytes: max, policy, .. } =
        &report.state;
    let share = used.zip(max.filter(|max| *max > 0)).map(|(used, max)| used as f64 / max as f64);
    let width = (share.unwrap_or(0.0).min(1.0) * 1000.0).round() as i64;
    let limit = match max.filter(|max| *max > 0) {
        Some(max) => format!("{}, {} used", format::bytes(max), format::percent(share)),
        None if used.is_some() => "none".to_owned(),
        None => DASH.to_owned(),
    };
    let server = report.server.as_ref();
    if used.is_none() && server.is_none() {
        return titled_card("memory", "Memory", "", unknown(&report.state));
    }
    if let Some(why) = server.and_then(|server| server.info_refused.as_deref()) {
        return titled_card("memory", "Memory", "", refused("its figures (INFO)", why));
    }
    titled_card(
        "memory",
        "Memory",
        version.clone().map_or(DASH.to_owned(), |v| {
            format!("Redis {v}; now, evicted and expired keys since it started")
        }),
        view! {
            <p class="big-number">{words::bytes(*used)}</p>
            <svg class="bar meter" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
                <rect class="l2" width=width height="10" />
            </svg>
            {pairs(vec![
                ("limit", "At the limit Redis applies its policy.", limit),
                ("peak", "The most that it ever used.", words::bytes(server.and_then(|s| s.used_memory_peak_bytes))),
                ("policy", "What Redis does when memory is full. With noeviction it refuses writes then.", policy.clone().unwrap_or(DASH.to_owned())),
                ("evicted keys", "Evicted because memory was full. If this grows, L2 is too small.", words::count(server.map(|s| s.evicted_keys))),
                ("expired keys", "Their time to live ran out, as it should.", words::count(server.map(|s| s.expired_keys))),
                ("keys", "In all databases, including keys of other programs.", words::count(server.map(|s| s.keys))),
            ])}
        },
    )
}

/// Redis's memory by who uses it, by bytes; what no cache accounts for is named too.
pub(super) fn shares(report: &RedisReport) -> AnyView {
    let shares = &report.shares;
    let entries: u64 = shares.iter().map(|share| share.entries).sum();
    let bytes: u64 = shares.iter().map(|share| share.weight_bytes).sum();
    let whole = report.state.used_memory_bytes.unwrap_or(0).max(bytes);
    let mut sorted: Vec<&RedisShare> = shares.iter().collect();
    sorted.sort_by_key(|share| std::cmp::Reverse(share.weight_bytes));
    let bucket = |share: &RedisShare| Bucket {
        name: format!("{} ({})", share.cache, format::plural(share.entries, "entry", "entries")),
        count: share.weight_bytes,
    };
    let mut buckets: Vec<Bucket> = sorted.into_iter().map(bucket).collect();
    if whole > bytes {
        let name = "all else: Redis itself, the bus, other keys".to_owned();
        buckets.push(Bucket { name, count: whole - bytes });
    }
    let buckets = Buckets {
        caption: "Memory of Redis by cache",
        head: "cache",
        class: "l2",
        buckets,
        whole,
        unit: Unit::Bytes,
    };
    let body = if entries == 0 {
        view! { <p class="empty">{not_counted(&report.state)}</p> }.into_any()
    } else {
        buckets.draw()
    };
    let of = match report.state.used_memory_bytes {
        Some(_) => "of the memory used",
        None => "of all entries",
    };
    titled_card(
        "l2-shares",
        "Memory by cache",
        format!("share {of}; as last counted, sizes from a sample"),
        view! {
            {body}
        },
    )
}

fn not_counted(state: &RedisState) -> String {
    let Some(passed) = state.count_given_up_after else {
        return "No key was counted yet.".to_owned();
    };
    let all = state.keys.map(|n| format!(" of about {}", format::count(n))).unwrap_or_default();
    let passed = format::plural(passed, "key", "keys");
    format!("Counting took too long and was given up: {passed}{all} had been looked at.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_bytes_and_what_no_cache_uses_is_named() {
        let share = |cache: &str, entries, weight_bytes| RedisShare {
            cache: cache.to_owned(),
            entries,
            weight_bytes,
        };
        let state = RedisState {
            used_memory_bytes: Some(10 << 20),
            configured: true,
            up: true,
            ..RedisState::default()
        };
        let all = vec![share("users", 900, 1 << 20), share("timelines", 100, 3 << 20)];
        let report = RedisReport { state, shares: all, ..RedisReport::default() };
        let drawn = Owner::new().with(|| shares(&report).to_html());
        let at = |text: &str| drawn.find(text).unwrap_or_else(|| panic!("{text} in {drawn}"));
        assert!(at("timelines") < at("users"), "the largest comes first");
        for share in ["30.0\u{202f}%", "10.0\u{202f}%", "60.0\u{202f}%", "all else"] {
            at(share);
        }
    }
}
