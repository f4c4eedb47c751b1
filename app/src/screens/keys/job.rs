use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{Job, JobKind, JobState, RefreshState, Refreshed, Scope};

use crate::addresses::{at, pattern_address};
use crate::api::CancelJob;
use crate::format;
use crate::screens::page_frame::{export_links, titled_card};
use crate::screens::words;

/// A job: how far it is, and what it did on each level and node once it has ended.
pub(super) fn card(job: &Job, refusal: Option<String>) -> AnyView {
    let line =
        |(place, text): (String, String)| view! { <div><dt>{place}</dt><dd>{text}</dd></div> };
    let lines = lines(job).into_iter().map(line).collect_view();
    let handle = if job.scope == Scope::Key { "key-result" } else { "pattern-result" };
    let api = format!("/api/v1/invalidations/{}", job.id);
    let errors = job
        .errors
        .iter()
        .map(|error| view! { <li>{error.node.clone()}" "{error.what.clone()}</li> });
    let errors = errors.collect_view();
    let more = (job.scope != Scope::Key && job.state != JobState::Running).then(|| {
        view! { <a class="button" href=pattern_address(&job.cache, &job.target)>"Show what matches now"</a> }
    });
    titled_card(
        "job",
        "Report",
        when(job),
        view! {
            <div role="status" data-testid=handle data-state=format!("{:?}", job.state)>
                <p class="headline"><strong>{headline(job)}</strong></p>
                {progress(job)}
                <dl class="pairs">{lines}</dl>
                {(!job.errors.is_empty()).then(|| view! { <h3>"What went wrong"</h3> })}
                <ul class="errors">{errors}</ul>
            </div>
            <div class="acts">
                {cancel(job, refusal)}
                {more}
                {export_links(format!("{api}?format=csv"), api.clone())}
            </div>
        },
    )
}

fn when(job: &Job) -> String {
    let began = words::at(job.started_at_ms);
    let took = job.ended_at_ms.map(|ended| format::span(ended.saturating_sub(job.started_at_ms)));
    let took = took.map_or("running".to_owned(), |took| format!("took {took}"));
    format!("no. {}, by {}, {began} UTC, {took}", job.id, words::who(&job.actor))
}

// The plan said how many lie in L2; entries that came since are not in it.
fn progress(job: &Job) -> Option<AnyView> {
    let planned = job.plan.as_ref()?.l2.filter(|n| *n > 0)?;
    let share = words::share(job.l2_removed, planned).unwrap_or(0.0).min(1.0);
    (job.state == JobState::Running).then(|| {
        view! {
            <progress max="1000" value=(share * 1000.0).floor() as u64 aria-label="Removed from L2, of what was planned"></progress>
        }
        .into_any()
    })
}

fn cancel(job: &Job, refusal: Option<String>) -> Option<AnyView> {
    let asked = job.cancel_asked;
    (job.state == JobState::Running).then(|| {
        view! {
            <form action=at(CancelJob::PATH) method="post">
                <input type="hidden" name="id" value=job.id />
                <button type="submit" class="button" disabled=asked || refusal.is_some()>
                    {if asked { "Stopping…" } else { "Stop" }}
                </button>
                <p class="failure" role="alert"></p>
            </form>
            <a class="button" href=crate::addresses::job_address(job)>"Look again"</a>
        }
        .into_any()
    })
}

fn headline(job: &Job) -> String {
    let target = words::visible(&job.target);
    let what = match job.scope {
        Scope::Key => format!("Key {target} of {}", job.cache),
        Scope::All => format!("All of {}", job.cache),
        other => format!("{} {target} of {}", capitalised(other.as_str()), job.cache),
    };
    let state = match job.state {
        JobState::Running => running(job.kind),
        JobState::Done => done(job.kind),
        JobState::Cancelled => "was stopped; what was removed stays removed",
        JobState::Failed => failed(job.kind),
        JobState::Queued => "is removed from L1; L2 follows once Redis is back",
        JobState::Unknown => "is removed from L1, perhaps not from L2: invalidate it again",
    };
    format!("{what} {state}.")
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    format!("{}{rest}", first.to_uppercase())
}

const fn done(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Invalidate => "is invalidated",
        JobKind::MarkStale => "is marked as stale",
        JobKind::Refresh => "is reloaded",
    }
}

const fn running(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Invalidate => "is being invalidated",
        JobKind::MarkStale => "is being marked as stale",
        JobKind::Refresh => "is being reloaded",
    }
}

const fn failed(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Invalidate => "could not be invalidated everywhere",
        JobKind::MarkStale => "could not be marked as stale everywhere",
        JobKind::Refresh => "could not be reloaded",
    }
}

// One line for each place: every node's L1, what is left there, and L2.
fn lines(job: &Job) -> Vec<(String, String)> {
    let node = |node: &strata_report::NodeCount| {
        let text = match node.entries {
            0 => "nothing was there".to_owned(),
            n => entries(job, n),
        };
        (format!("L1 of node {}", node.node), text)
    };
    if !job.refreshed.is_empty() {
        return job.refreshed.iter().map(refreshed).collect();
    }
    let mut lines: Vec<_> = job.l1.iter().map(node).collect();
    if let Some(heard) = &job.heard {
        lines.push(("Bus".to_owned(), heard.in_words()));
    }
    if job.l1_left > 0 && job.state != JobState::Running {
        let left = format::plural(job.l1_left, "entry", "entries");
        lines.push(("L1".to_owned(), format!("{left} still there: a node's bus is silent")));
    }
    lines.push(("L2".to_owned(), l2(job)));
    lines
}

fn refreshed(place: &Refreshed) -> (String, String) {
    let text = match place.state {
        RefreshState::Loaded => "holds the new value",
        RefreshState::Removed => "the older value was removed: the next read gets the new one",
        RefreshState::Absent => "nothing is there: the next read gets the new value",
        RefreshState::Older => "still holds the older value",
        RefreshState::Unknown => "could not be asked",
    };
    let place = match place.node.as_str() {
        "" => "L2".to_owned(),
        node => format!("L1 of node {node}"),
    };
    (place, text.to_owned())
}

// What was done to `n` entries.
fn entries(job: &Job, n: u64) -> String {
    let done = match job.kind {
        JobKind::Invalidate => "removed",
        JobKind::MarkStale => "marked as stale",
        JobKind::Refresh => "to be reloaded",
    };
    format!("{} {done}", format::plural(n, "entry", "entries"))
}

fn l2(job: &Job) -> String {
    if !job.l2_configured {
        return "off".to_owned();
    }
    if job.replayed_at_ms.is_some() {
        return "Redis was away; replayed once it was back".to_owned();
    }
    let removed = match job.l2_removed {
        0 => "nothing was there".to_owned(),
        n => entries(job, n),
    };
    match job.state {
        JobState::Queued => "queued, replayed before Redis is trusted again".to_owned(),
        JobState::Unknown => {
            "not known: what waited for Redis went with its node. Invalidate again".to_owned()
        }
        JobState::Running => format!(
            "{} of {} looked at",
            format::plural(job.l2_removed, "entry removed", "entries removed"),
            format::plural(job.l2_scanned, "key", "keys"),
        ),
        JobState::Done | JobState::Cancelled | JobState::Failed => removed,
    }
}

#[cfg(test)]
mod tests {
    use strata_report::NodeCount;

    use super::*;

    fn job(state: JobState) -> Job {
        Job {
            id: 7,
            cache: "users".to_owned(),
            scope: Scope::Key,
            target: "4711".to_owned(),
            actor: "operator".to_owned(),
            state,
            l1: vec![
                NodeCount { node: "demo-1".to_owned(), entries: 1 },
                NodeCount { node: "demo-2".to_owned(), entries: 0 },
            ],
            l2_removed: 1,
            l2_configured: true,
            ..Job::default()
        }
    }

    fn told(job: &Job) -> Vec<String> {
        lines(job).into_iter().map(|(place, text)| format!("{place}: {text}")).collect()
    }

    #[test]
    fn every_level_and_node_is_told() {
        let job = job(JobState::Done);
        assert_eq!(headline(&job), "Key 4711 of users is invalidated.");
        assert_eq!(
            told(&job),
            [
                "L1 of node demo-1: 1 entry removed",
                "L1 of node demo-2: nothing was there",
                "L2: 1 entry removed"
            ]
        );
    }

    #[test]
    fn a_redis_that_is_away_is_not_told_as_done() {
        let job = job(JobState::Queued);
        assert!(headline(&job).ends_with("L2 follows once Redis is back."));
        assert_eq!(told(&job)[2], "L2: queued, replayed before Redis is trusted again");
    }

    #[test]
    fn what_was_replayed_no_longer_waits() {
        let job = Job { replayed_at_ms: Some(2_000), ..job(JobState::Done) };
        assert_eq!(headline(&job), "Key 4711 of users is invalidated.");
        assert_eq!(told(&job)[2], "L2: Redis was away; replayed once it was back");
    }

    #[test]
    fn a_job_is_told_as_what_it_is() {
        let refresh = |state| Job { kind: JobKind::Refresh, ..job(state) };
        assert_eq!(headline(&refresh(JobState::Done)), "Key 4711 of users is reloaded.");
        assert_eq!(
            headline(&refresh(JobState::Failed)),
            "Key 4711 of users could not be reloaded."
        );
    }

    #[test]
    fn a_refresh_tells_of_each_place_what_it_holds() {
        let place = |node: &str, state| Refreshed { node: node.to_owned(), state };
        let refreshed = vec![
            place("demo-1", RefreshState::Loaded),
            place("demo-2", RefreshState::Removed),
            place("", RefreshState::Unknown),
        ];
        let job = Job { kind: JobKind::Refresh, refreshed, ..job(JobState::Done) };
        assert_eq!(
            told(&job),
            [
                "L1 of node demo-1: holds the new value",
                "L1 of node demo-2: the older value was removed: the next read gets the new one",
                "L2: could not be asked"
            ]
        );
    }

    #[test]
    fn an_entry_that_stayed_is_told() {
        let job = Job { l1_left: 1, ..job(JobState::Done) };
        assert_eq!(told(&job)[2], "L1: 1 entry still there: a node's bus is silent");
    }

    #[test]
    fn a_cache_without_l2_says_so() {
        let job = Job { l2_configured: false, ..job(JobState::Done) };
        assert_eq!(told(&job)[2], "L2: off");
    }
}
