use leptos::prelude::*;
use strata_report::{Job, JobState, Scope};

use crate::format;

/// What an invalidation did on each level and node.
#[component]
pub(super) fn JobResult(
    /// The invalidation; `None` before there is one.
    #[prop(into)]
    job: Signal<Option<Job>>,
    /// The handle for tests.
    testid: &'static str,
) -> impl IntoView {
    let headline = move || job.with(|job| job.as_ref().map(headline));
    let state = move || job.with(|job| job.as_ref().map(|job| format!("{:?}", job.state)));
    let lines = move || {
        let line = |(place, text): (String, String)| view! { <dt>{place}</dt><dd>{text}</dd> };
        job.with(|job| job.as_ref().map(lines))
            .unwrap_or_default()
            .into_iter()
            .map(line)
            .collect_view()
    };
    view! {
        <div class="result" role="status" data-testid=testid data-state=state>
            <p>
                <strong>{headline}</strong>
            </p>
            <dl>{lines}</dl>
        </div>
    }
    .into_any()
}

fn headline(job: &Job) -> String {
    let what = match job.scope {
        Scope::Key => format!("Key {} of {}", job.target, job.cache),
        Scope::Pattern => format!("Pattern {} of {}", job.target, job.cache),
        Scope::Tag => format!("Tag {} of {}", job.target, job.cache),
        Scope::All => format!("All of {}", job.cache),
    };
    let state = match job.state {
        JobState::Running => "is being invalidated",
        JobState::Done => "is invalidated",
        JobState::Cancelled => "was stopped; what was removed stays removed",
        JobState::Failed => "could not be invalidated everywhere",
        JobState::Queued => "left L1; L2 follows once Redis is back",
    };
    format!("{what} {state}.")
}

// One line for each place: every node's L1, what is left there, and L2.
fn lines(job: &Job) -> Vec<(String, String)> {
    let node = |node: &strata_report::NodeCount| {
        let text = match node.entries {
            0 => "nothing was there".to_owned(),
            n => format::plural(n, "entry removed", "entries removed"),
        };
        (format!("L1 of {}", node.node), text)
    };
    let mut lines: Vec<_> = job.l1.iter().map(node).collect();
    if job.l1_left > 0 && job.state != JobState::Running {
        let left = format::plural(job.l1_left, "entry", "entries");
        lines.push(("L1".to_owned(), format!("{left} still there: a node is deaf to the bus")));
    }
    lines.push(("L2".to_owned(), l2(job)));
    lines
}

fn l2(job: &Job) -> String {
    if !job.l2_configured {
        return "off".to_owned();
    }
    let removed = match job.l2_removed {
        0 => "nothing was there".to_owned(),
        n => format::plural(n, "entry removed", "entries removed"),
    };
    match job.state {
        JobState::Queued => "queued, replayed before Redis is trusted again".to_owned(),
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
            l1_left: 0,
            l2_scanned: 0,
            l2_removed: 1,
            l2_configured: true,
            started_at_ms: 0,
            ended_at_ms: None,
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
                "L1 of demo-1: 1 entry removed",
                "L1 of demo-2: nothing was there",
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
    fn an_entry_that_stayed_is_told() {
        let job = Job { l1_left: 1, ..job(JobState::Done) };
        assert_eq!(told(&job)[2], "L1: 1 entry still there: a node is deaf to the bus");
    }

    #[test]
    fn a_cache_without_l2_says_so() {
        let job = Job { l2_configured: false, ..job(JobState::Done) };
        assert_eq!(told(&job)[2], "L2: off");
    }
}
