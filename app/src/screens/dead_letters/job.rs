use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{DeadLetterAction, DeadLetterJob};

use crate::addresses::at;
use crate::api::StopDeadLetters;
use crate::format;
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// The newest redrive or drop: how far it is, and what it did.
pub(super) fn card(job: &DeadLetterJob, refusal: Option<&str>) -> AnyView {
    let began = words::at(job.started_at_ms);
    let took = job.ended_at_ms.map(|ended| format::span(ended.saturating_sub(job.started_at_ms)));
    let took = took.map_or("running".to_owned(), |took| format!("took {took}"));
    let line = |(name, n): (&'static str, u64)| {
        view! { <div><dt>{name}</dt><dd>{format::count(n)}</dd></div> }
    };
    let lines = lines(job).into_iter().map(line).collect_view();
    titled_card(
        "job",
        "Newest run",
        format!("by {}, {began} UTC, {took}", words::who(&job.actor)),
        view! {
            <div role="status" data-testid="letters-result" data-state=state(job)>
                <p class="headline"><strong>{headline(job)}</strong></p>
                <dl class="pairs">{lines}</dl>
                {job.failure.clone().map(|why| view! { <p class="failure">{why}</p> })}
            </div>
            {stop(job, refusal)}
        },
    )
}

fn stop(job: &DeadLetterJob, refusal: Option<&str>) -> Option<AnyView> {
    let asked = job.cancel_asked;
    let is_refused = asked || refusal.is_some();
    job.ended_at_ms.is_none().then(|| {
        view! {
            <div class="acts">
                <form action=at(StopDeadLetters::PATH) method="post">
                    <input type="hidden" name="cache" value=job.cache.clone() />
                    <button type="submit" class="button" disabled=is_refused>
                        {if asked { "Stopping…" } else { "Stop" }}
                    </button>
                    <p class="failure" role="alert"></p>
                </form>
            </div>
        }
        .into_any()
    })
}

fn state(job: &DeadLetterJob) -> &'static str {
    match (job.ended_at_ms, &job.failure, job.cancel_asked) {
        (None, _, _) => "running",
        (Some(_), Some(_), _) => "failed",
        (Some(_), None, true) => "stopped",
        (Some(_), None, false) => "done",
    }
}

fn headline(job: &DeadLetterJob) -> &'static str {
    match (job.action, state(job)) {
        (DeadLetterAction::Redrive, "running") => "Dead letters are being redriven.",
        (DeadLetterAction::Drop, "running") => "Dead letters are being dropped.",
        (DeadLetterAction::Redrive, "done") => {
            "Dead letters are redriven: the database is asked again."
        }
        (DeadLetterAction::Drop, "done") => "Dead letters are dropped.",
        (DeadLetterAction::Redrive, _) => "The redrive ended early; what was redriven stays so.",
        (DeadLetterAction::Drop, _) => "The drop ended early; what was dropped is gone.",
    }
}

fn lines(job: &DeadLetterJob) -> Vec<(&'static str, u64)> {
    let result = &job.result;
    let mut lines = match job.action {
        DeadLetterAction::Redrive => vec![
            ("queued again", result.redriven),
            ("forgotten, because a newer value of their key waits", result.superseded),
        ],
        DeadLetterAction::Drop => vec![("dropped", result.dropped)],
    };
    lines.push(("looked at", result.examined));
    if job.ended_at_ms.is_some() {
        lines.push(("dead letters left then", result.left));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_as_what_it_is() {
        let running = DeadLetterJob::default();
        assert_eq!(
            (state(&running), headline(&running)),
            ("running", "Dead letters are being redriven.")
        );
        assert!(stop(&running, None).is_some());
        let ended = DeadLetterJob { ended_at_ms: Some(1), ..running };
        assert_eq!(state(&ended), "done");
        assert!(stop(&ended, None).is_none());
        let failed = DeadLetterJob { failure: Some("Redis is away.".to_owned()), ..ended.clone() };
        assert_eq!(
            (state(&failed), headline(&failed)),
            ("failed", "The redrive ended early; what was redriven stays so.")
        );
        let stopped = DeadLetterJob { cancel_asked: true, action: DeadLetterAction::Drop, ..ended };
        assert_eq!(
            (state(&stopped), headline(&stopped)),
            ("stopped", "The drop ended early; what was dropped is gone.")
        );
    }
}
