use leptos::prelude::*;
use strata_report::{Job, JobState};

use super::card::{CacheField, TextField};
use super::plan::PlanPanel;
use super::result::JobResult;
use crate::api::{self, ApiError, CancelJob, InvalidatePattern, PlanInvalidation};
use crate::session::Visitor;
use crate::ui::{Button, Weight};

/// Invalidates by pattern: plan, confirm, watch, result.
#[component]
pub(super) fn PatternForm() -> impl IntoView {
    let plan = ServerAction::<PlanInvalidation>::new();
    let run = ServerAction::<InvalidatePattern>::new();
    let job = RwSignal::new(None::<Job>);
    let failure = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        failure.set(plan.value().get().and_then(Result::err));
        job.set(None);
    });
    Effect::new(move |_| match run.value().get() {
        Some(Ok(begun)) => {
            plan.value().set(None);
            follow(begun, job, failure);
        }
        Some(Err(error)) => failure.set(Some(error)),
        None => {}
    });
    let found = Signal::derive(move || plan.value().get().and_then(Result::ok));
    let sentence = move || failure.get().map(|error| error.sentence());
    view! {
        <ActionForm action=plan attr:data-testid="invalidate-pattern" attr:class="ask">
            <CacheField id="pattern-cache" />
            <TextField id="pattern" label="Pattern" name="pattern" placeholder="author:17:*" />
            <Button
                text="Plan"
                weight=Weight::Light
                refusal=Visitor::of_page().refusal()
                pending=plan.pending()
            />
        </ActionForm>
        <noscript>
            <p class="small">"A pattern needs JavaScript: it is planned first, then confirmed."</p>
        </noscript>
        <p class="failure" role="alert">{sentence}</p>
        <PlanPanel plan=found run=run />
        <JobResult job=job testid="pattern-result" />
        <Cancel job=job failure=failure />
    }
    .into_any()
}

#[component]
fn Cancel(job: RwSignal<Option<Job>>, failure: RwSignal<Option<ApiError>>) -> impl IntoView {
    let cancel = ServerAction::<CancelJob>::new();
    Effect::new(move |_| {
        if let Some(Err(error)) = cancel.value().get() {
            failure.set(Some(error));
        }
    });
    let is_running = move || job.with(|job| job.as_ref().is_some_and(is_running));
    let id = move || job.with(|job| job.as_ref().map(|job| job.id));
    view! {
        <Show when=is_running>
            <ActionForm action=cancel>
                <input type="hidden" name="id" value=id />
                <button type="submit" class="button">"Stop"</button>
            </ActionForm>
        </Show>
    }
    .into_any()
}

fn is_running(job: &Job) -> bool {
    job.state == JobState::Running
}

// The server holds each answer back until the job ends or moves on, so this needs no timer.
fn follow(begun: Job, job: RwSignal<Option<Job>>, failure: RwSignal<Option<ApiError>>) {
    let id = begun.id;
    let mut running = is_running(&begun);
    job.set(Some(begun));
    leptos::task::spawn_local(async move {
        while running {
            match api::follow_job(id).await {
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
