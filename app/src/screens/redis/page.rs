use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::{RedisReport, RedisServer, RedisState, SlowCommand};

use super::memory::{memory, shares};
use crate::api::ApiError;
use crate::format;
use crate::screens::PageRequest;
use crate::screens::page_frame::{PageFrame, PageHtml, export_links, titled_card};
use crate::screens::words;

/// Draws Redis, as it and the nodes see it.
pub(crate) async fn page(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let report = request.console.redis().await;
    let frame = PageFrame { class: "redis-page", every_s: Some(2) };
    Ok(frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head">
                <h1>"Redis"</h1>
                {export_links("/api/v1/redis?format=csv".to_owned(), "/api/v1/redis".to_owned())}
            </div>
            {away(&report.state)}
            {memory(&report)}
            {work(&report)}
            {shares(&report)}
            {connections(&report)}
            {slow(&report)}
        },
    ))
}

fn away(state: &RedisState) -> Option<AnyView> {
    let (class, text) = match (state.configured, state.up) {
        (true, true) => return None,
        (false, _) => (
            "banner calm",
            "Strata runs without Redis. Every node uses only its own L1 and the database, and nodes do not receive each other's invalidations.",
        ),
        (true, false) => (
            "banner",
            "Redis is away. L1 and the database answer reads. Invalidations wait and are replayed before Redis is trusted again.",
        ),
    };
    Some(view! { <div class=class><p>{text}</p></div> }.into_any())
}

/// What stands where only Redis itself could say something.
pub(super) fn unknown(state: &RedisState) -> AnyView {
    let text = if state.configured {
        "Redis does not answer, so this is not known now."
    } else {
        "There is no Redis."
    };
    view! { <p class="empty">{text}</p> }.into_any()
}

/// A number: its name, what it means, and its value.
pub(super) type NamedValue = (&'static str, &'static str, String);

/// Numbers with their names, as a list.
pub(super) fn pairs(all: Vec<NamedValue>) -> AnyView {
    let pair = |(nth, (name, meaning, value)): (usize, NamedValue)| {
        view! { <div title=meaning><dt tabindex=words::tab_stop(nth)>{name}</dt><dd>{value}</dd></div> }
    };
    let pairs = all.into_iter().enumerate().map(pair).collect_view();
    view! { <dl class="pairs">{pairs}</dl> }.into_any()
}

/// Why figures that Redis would have to tell are missing.
pub(super) fn refused(what: &'static str, why: &str) -> AnyView {
    let text = format!("Redis does not let Strata read {what}: {why}.");
    view! { <p class="empty">{text}</p> }.into_any()
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
            ("bytes in/s", "Sent to Redis.", format::bytes(server.input_bytes_per_s)),
            ("bytes out/s", "Sent by Redis.", format::bytes(server.output_bytes_per_s)),
            ("clients", "Connections; each node has some.", format::count(server.clients)),
            (
                "blocked clients",
                "In a blocking command, such as each node's bus reader.",
                format::count(server.blocked_clients),
            ),
            ("up", "Since it started.", format::span(server.uptime_s * 1000)),
        ]),
    };
    titled_card("work", "Work", "now, as Redis measures it".to_owned(), view! {{body}})
}

/// The most nodes that are shown.
const MOST_NODES: usize = 50;

fn connections(report: &RedisReport) -> AnyView {
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
    // The worst first, where there are more than a page has.
    let mut nodes: Vec<_> = report.nodes.iter().collect();
    if nodes.len() > MOST_NODES {
        nodes.sort_by_key(|node| {
            std::cmp::Reverse((node.l2.breaker_open, node.l2.queued_invalidations, node.l2.errors))
        });
    }
    let rows = nodes.into_iter().take(MOST_NODES).map(row).collect_view();
    let others = report.nodes.len().saturating_sub(MOST_NODES) as u64;
    let others = (others > 0).then(|| {
        let others = format::plural(others, "other node is", "other nodes are");
        view! { <p class="small">{others}" not shown; these are the worst."</p> }
    });
    if report.nodes.is_empty() {
        return titled_card(
            "connections",
            "Connection to Redis, per node",
            "",
            unknown(&report.state),
        );
    }
    titled_card(
        "connections",
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
                            <th scope="col" tabindex="-1" title="Invalidations that waited and then reached Redis.">"replayed"</th>
                            <th scope="col" tabindex="-1" title="How often too many waited, so whole caches were emptied in L2.">"overflows"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {others}
        },
    )
}

fn slow(report: &RedisReport) -> AnyView {
    let Some(RedisServer { slow_log: log, slow_log_others, slow_log_refused, .. }) = &report.server
    else {
        return titled_card("slow", "Slow commands", "", unknown(&report.state));
    };
    if let Some(why) = slow_log_refused {
        return titled_card("slow", "Slow commands", "", refused("its slow log", why));
    }
    let row = |(nth, command): (usize, &SlowCommand)| {
        view! {
            <tr>
                <th scope="row">{words::when(command.at_ms, nth)}</th>
                <td>{format::duration(Some(command.took_us * 1000))}</td>
                <td class="mono command">{words::visible(&command.command)}{command.looking.then_some(" (from Strata's own dashboard)")}</td>
            </tr>
        }
    };
    let rows = log.iter().enumerate().map(row).collect_view();
    let none = match slow_log_others {
        0 => "None: no command took longer than Redis's own threshold.",
        _ => "None in this namespace.",
    };
    let empty = log.is_empty().then(|| view! { <p class="empty">{none}</p> });
    let others = (*slow_log_others > 0).then(|| {
        let n = format::plural(*slow_log_others, "slow command", "slow commands");
        let text = format!("{n} of other programs, or without a key, are not shown.");
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
    titled_card(
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
            view! { {away(&report.state)}{memory(&report)}{work(&report)}{connections(&report)}{slow(&report)} }
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
    fn a_redis_that_nobody_wants_is_no_alarm() {
        let off = html(RedisState::default());
        assert!(off.contains("banner calm") && off.contains("There is no Redis."));
        assert!(!off.contains("does not answer"), "{off}");
    }

    #[test]
    fn slow_commands_of_the_dashboard_are_told_from_those_of_the_service() {
        let command = |command: &str, looking| SlowCommand {
            at_ms: 1,
            took_us: 20_000,
            command: command.to_owned(),
            looking,
        };
        let server = RedisServer {
            slow_log: vec![command("SCAN 0", true), command("GET {shop}:users:7", false)],
            slow_log_others: 3,
            ..RedisServer::default()
        };
        let state = RedisState { configured: true, up: true, ..RedisState::default() };
        let report = RedisReport { state, server: Some(server), ..RedisReport::default() };
        let drawn = Owner::new().with(|| slow(&report).to_html());
        let own = "(from Strata's own dashboard)";
        assert_eq!(drawn.matches(own).count(), 1, "{drawn}");
        assert!(drawn.find(own).unwrap() < drawn.find("GET {shop}").unwrap(), "{drawn}");
        let others = "3 slow commands of other programs, or without a key, are not shown.";
        assert!(drawn.contains(others), "{drawn}");
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
