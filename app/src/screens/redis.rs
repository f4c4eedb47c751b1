use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::{RedisReport, RedisServer, RedisShare, RedisState, SlowCommand};

use super::Asked;
use super::chart::{Bucket, Buckets, Unit};
use super::sheet::{Drawing, Sheet, export_links};
use super::words;
use crate::format::{self, DASH};
use crate::screens::sheet::titled;

/// Draws Redis, as it and the nodes see it.
pub(super) async fn page(asked: &Asked) -> Drawing {
    let report = asked.console.redis().await;
    let sheet = Sheet { class: "redis-page", every_s: Some(2) };
    sheet.draw(
        StatusCode::OK,
        view! {
            <div class="sheet-head">
                <h1>"Redis"</h1>
                {export_links("/api/v1/redis?format=csv".to_owned(), "/api/v1/redis".to_owned())}
            </div>
            {away(&report.state)}
            {memory(&report)}
            {work(&report)}
            {shares(&report)}
            {ways(&report)}
            {slow(&report)}
        },
    )
}

fn away(state: &RedisState) -> Option<AnyView> {
    let (class, text) = match (state.configured, state.up) {
        (true, true) => return None,
        (false, _) => (
            "banner calm",
            "Strata runs without Redis: every node lives on its own L1 and the database, and nodes do not receive each other's invalidations.",
        ),
        (true, false) => (
            "banner",
            "Redis is away. Reads go on from L1 and the database; invalidations wait and are replayed before Redis is trusted again.",
        ),
    };
    Some(view! { <div class=class><p>{text}</p></div> }.into_any())
}

// What stands where Redis itself would have to say something.
fn unknown(state: &RedisState) -> AnyView {
    let text = if state.configured {
        "Redis does not answer, so this is not known now."
    } else {
        "There is no Redis."
    };
    view! { <p class="empty">{text}</p> }.into_any()
}

type Pair = (&'static str, &'static str, String);

fn pairs(all: Vec<Pair>) -> AnyView {
    let pair = |(nth, (name, meaning, value)): (usize, Pair)| {
        view! { <div title=meaning><dt tabindex=words::tab_stop(nth)>{name}</dt><dd>{value}</dd></div> }
    };
    let pairs = all.into_iter().enumerate().map(pair).collect_view();
    view! { <dl class="pairs">{pairs}</dl> }.into_any()
}

/// Why figures that Redis would have to tell are missing.
fn refused(what: &'static str, why: &str) -> AnyView {
    let text = format!("Redis does not let Strata read {what}: {why}.");
    view! { <p class="empty">{text}</p> }.into_any()
}

fn memory(report: &RedisReport) -> AnyView {
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
        return titled("memory", "Memory", "", unknown(&report.state));
    }
    if let Some(why) = server.and_then(|server| server.info_refused.as_deref()) {
        return titled("memory", "Memory", "", refused("its figures (INFO)", why));
    }
    titled(
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
                ("limit", "At the limit Redis acts by its policy.", limit),
                ("peak", "The most that it ever used.", words::bytes(server.and_then(|s| s.used_memory_peak_bytes))),
                ("policy", "What Redis does when memory is full. With noeviction it refuses writes then.", policy.clone().unwrap_or(DASH.to_owned())),
                ("evicted keys", "Dropped because memory was full. A number that grows means that L2 is small.", words::count(server.map(|s| s.evicted_keys))),
                ("expired keys", "Their time to live ran out, as it should.", words::count(server.map(|s| s.expired_keys))),
                ("keys", "Of all databases, other programs' keys included.", words::count(server.map(|s| s.keys))),
            ])}
        },
    )
}

fn work(report: &RedisReport) -> AnyView {
    let body = match &report.server {
        None => unknown(&report.state),
        Some(RedisServer { info_refused: Some(why), .. }) => refused("its figures (INFO)", why),
        Some(server) => pairs(vec![
            (
                "round trip",
                "One PING from here and back.",
                format::duration(Some(server.ping_us * 1000)),
            ),
            ("commands/s", "As Redis measures them.", format::count(server.ops_per_s)),
            ("bytes in/s", "What it is sent.", format::bytes(server.input_bytes_per_s)),
            ("bytes out/s", "What it sends.", format::bytes(server.output_bytes_per_s)),
            ("clients", "Connections; each node has some.", format::count(server.clients)),
            (
                "blocked clients",
                "In a blocking command; each node's reader of the bus is one.",
                format::count(server.blocked_clients),
            ),
            ("up", "Since it started.", format::span(server.uptime_s * 1000)),
        ]),
    };
    titled("work", "Work", "now, as Redis measures it".to_owned(), view! {{body}})
}

/// Redis's memory by who uses it, by bytes; what no cache accounts for is named too.
fn shares(report: &RedisReport) -> AnyView {
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
    titled(
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

fn ways(report: &RedisReport) -> AnyView {
    let row = |node: &strata_report::NodeL2| {
        let l2 = &node.l2;
        view! {
            <tr>
                <th scope="row">{node.node.clone()}</th>
                <td>{words::breaker(l2)}</td>
                <td>{format::count(l2.breaker_opened)}</td>
                <td>{format::count(l2.errors)}</td>
                <td>{format::count(l2.timeouts)}</td>
                <td>{format::count(l2.queued_invalidations)}</td>
                <td>{format::count(l2.replayed_invalidations)}</td>
                <td>{format::count(l2.queue_overflows)}</td>
            </tr>
        }
    };
    let rows = report.nodes.iter().map(row).collect_view();
    if report.nodes.is_empty() {
        return titled("ways", "Connection to Redis, per node", "", unknown(&report.state));
    }
    titled(
        "ways",
        "Connection to Redis, per node",
        "breaker and waiting now; counts since each node started".to_owned(),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of the connections to Redis">
                <table class="rows">
                    <caption class="unseen">"Breaker and recovery queue of each node"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"node"</th>
                            <th scope="col" tabindex="0" title="Closed: Redis is used. Open: it failed and is skipped; one probe at a time tries it again.">"breaker"</th>
                            <th scope="col">"opened"</th>
                            <th scope="col">"errors"</th>
                            <th scope="col">"timeouts"</th>
                            <th scope="col" tabindex="-1" title="Invalidations that wait for Redis.">"waiting"</th>
                            <th scope="col" tabindex="-1" title="Invalidations that waited and reached it.">"replayed"</th>
                            <th scope="col" tabindex="-1" title="Times that too many waited, so whole caches were emptied in L2.">"overflows"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        },
    )
}

fn slow(report: &RedisReport) -> AnyView {
    let Some(RedisServer { slow_log: log, slow_log_others, slow_log_refused, .. }) = &report.server
    else {
        return titled("slow", "Slow commands", "", unknown(&report.state));
    };
    if let Some(why) = slow_log_refused {
        return titled("slow", "Slow commands", "", refused("its slow log", why));
    }
    let row = |(nth, command): (usize, &SlowCommand)| {
        view! {
            <tr>
                <th scope="row">{words::when(command.at_ms, nth)}</th>
                <td>{format::duration(Some(command.took_us * 1000))}</td>
                <td class="mono command">{words::visible(&command.command)}{command.looking.then_some(" (Strata's own looking)")}</td>
            </tr>
        }
    };
    let rows = log.iter().enumerate().map(row).collect_view();
    let none = match slow_log_others {
        0 => "None: no command took longer than Redis's own threshold.",
        _ => "None of this namespace.",
    };
    let empty = log.is_empty().then(|| view! { <p class="empty">{none}</p> });
    let others = (*slow_log_others > 0).then(|| {
        let n = format::plural(*slow_log_others, "slow command", "slow commands");
        let text = format!("{n} beside these, of others or without a key, are not shown.");
        view! { <p class="small">{text}</p> }
    });
    let table = (!log.is_empty()).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of slow commands">
                <table class="rows">
                    <caption class="unseen">"The newest slow commands"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"when, UTC"</th>
                            <th scope="col">"took"</th>
                            <th scope="col">"command"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    });
    titled(
        "slow",
        "Slow commands",
        "the newest; values are left out".to_owned(),
        view! {
            {empty} {table} {others}
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(state: RedisState) -> String {
        let report = RedisReport { state, ..RedisReport::default() };
        Owner::new().with(|| {
            view! { {away(&report.state)}{memory(&report)}{work(&report)}{ways(&report)}{slow(&report)} }
                .to_html()
        })
    }

    #[test]
    fn what_a_silent_redis_would_have_to_say_is_not_said_for_it() {
        let away = html(RedisState { configured: true, ..RedisState::default() });
        assert!(away.contains("Redis is away.") && away.contains("not known now"));
        assert!(!away.contains("no command took longer"), "{away}");
    }

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

    #[test]
    fn a_redis_that_nobody_wants_is_no_alarm() {
        let off = html(RedisState::default());
        assert!(off.contains("banner calm") && off.contains("There is no Redis."));
        assert!(!off.contains("does not answer"), "{off}");
    }

    #[test]
    fn what_redis_refuses_to_tell_is_said_and_no_zero() {
        let server = RedisServer {
            info_refused: Some("NOPERM: no permission for info".to_owned()),
            slow_log_refused: Some("NOPERM: no permission for slowlog".to_owned()),
            ..RedisServer::default()
        };
        let state = RedisState { configured: true, up: true, ..RedisState::default() };
        let report = RedisReport { state, server: Some(server), ..RedisReport::default() };
        let drawn = Owner::new()
            .with(|| view! { {memory(&report)}{work(&report)}{slow(&report)} }.to_html());
        for said in ["its figures (INFO): NOPERM", "its slow log: NOPERM"] {
            assert!(drawn.contains(said), "{said} in {drawn}");
        }
        assert!(!drawn.contains("evicted keys") && !drawn.contains("commands/s"), "{drawn}");
    }
}
