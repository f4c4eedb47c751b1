use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{Job, JobState};

use super::card::{CacheField, TextField};
use super::plan::PlanPanel;
use super::result::JobResult;
use crate::api::{self, ApiError, CancelJob, FollowJob, InvalidatePattern, PlanInvalidation};
use crate::ui::{Asked, Button, Form, Weight};

/// Invalidates by pattern: plan, confirm, watch, result.
#[component]
pub(super) fn PatternForm() -> impl IntoView {
    let plan = Asked::at(PlanInvalidation::PATH);
    let run = Asked::at(InvalidatePattern::PATH);
    let job = RwSignal::new(None::<Job>);
    let failure = RwSignal::new(None::<ApiError>);
    let found = Signal::derive(move || plan.answer().and_then(Result::ok));
    Effect::new(move |_| {
        if found.with(Option::is_some) {
            job.set(None);
            failure.set(None);
        }
    });
    Effect::new(move |_| match run.answer() {
        Some(Ok(begun)) => {
            plan.forget();
            follow(begun, job, failure);
        }
        Some(Err(error)) => failure.set(Some(error)),
        None => {}
    });
    let sentence = move || plan.failure().or_else(|| failure.get().map(|error| error.sentence()));
    view! {
        <Form asked=plan testid="invalidate-pattern" class="ask needs-script">
            <CacheField id="pattern-cache" />
            <TextField id="pattern" label="Pattern" name="pattern" placeholder="author:17:*" />
            <Button
                text="Plan"
                weight=Weight::Light
                refusal=Signal::stored(None::<String>)
                pending=plan.pending
            />
        </Form>
        <noscript>
            <p class="small">"A pattern needs JavaScript: it is planned first, then confirmed."</p>
        </noscript>
        <p class="failure" role="alert">{sentence}</p>
        <PlanPanel plan=found run=run />
        <JobResult job=job testid="pattern-result" />
        <Cancel job=job />
    }
    .into_any()
}

#[component]
fn Cancel(job: RwSignal<Option<Job>>) -> impl IntoView {
    let cancel = Asked::at(CancelJob::PATH);
    let is_running = move || job.with(|job| job.as_ref().is_some_and(is_running));
    let id = move || job.with(|job| job.as_ref().map(|job| job.id));
    view! {
        <Show when=is_running>
            <Form asked=cancel>
                <input type="hidden" name="id" value=id />
                <button type="submit" class="button">
                    "Stop"
                </button>
            </Form>
        </Show>
        <p class="failure" role="alert">{move || cancel.failure()}</p>
    }
    .into_any()
}

fn is_running(job: &Job) -> bool {
    job.state == JobState::Running
}

// The server holds each answer back until the job ends or moves on, so this needs no timer.
fn follow(begun: Job, job: RwSignal<Option<Job>>, failure: RwSignal<Option<ApiError>>) {
    let id = Some(begun.id);
    let mut running = is_running(&begun);
    job.set(Some(begun));
    failure.set(None);
    leptos::task::spawn_local(async move {
        while running {
            match api::read(api::post_id(FollowJob::PATH, id).await) {
                Ok(now) => {
                    running = is_running(&now);
                    // A disposed signal means that the page is gone.
                    running &= job.try_set(Some(now)).is_none();
                }
                Err(error) => {
                    running = false;
                    failure.try_set(Some(error));
                }
            }
        }
    });
}
