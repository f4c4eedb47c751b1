use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::view::{LessonRun, LessonView};
use crate::addresses::at;
use crate::api::StartRun;
use crate::screens::lab::settings_fields;
use crate::screens::page_frame::titled_card;

/// The question, and the buttons that run the lesson once it is answered.
pub(super) fn card(view: &LessonView) -> AnyView {
    let question = &view.lesson.question;
    let answer = |(n, text): (usize, &&'static str)| {
        let id = format!("answer-{n}");
        view! {
            <div class="answer">
                <input type="radio" id=id.clone() name="wish[guess]" value=n.to_string() required=true />
                <label for=id>{*text}</label>
            </div>
        }
    };
    let answers = question.answers.iter().enumerate().map(answer).collect_view();
    titled_card(
        "predict",
        "Predict, then run",
        "a wrong guess teaches more than none",
        view! {
            <form action=at(StartRun::PATH) method="post" data-testid="predict">
                {hidden(view)}
                <fieldset class="answers">
                    <legend>{question.text}</legend>
                    {answers}
                </fieldset>
                {settings_fields::fields(view.lesson, &view.settings)}
                {buttons(view, "Run it")}
            </form>
        },
    )
}

/// Runs the lesson once more, with what was predicted, and perhaps with other settings.
pub(super) fn run_again(view: &LessonView, run: &LessonRun) -> AnyView {
    let guess = run.guess.map(|guess| {
        view! { <input type="hidden" name="wish[guess]" value=guess.to_string() /> }
    });
    titled_card(
        "run-again",
        "Run it again",
        "change something and see what happens",
        view! {
            <form action=at(StartRun::PATH) method="post" data-testid="run-again">
                {hidden(view)}
                {guess}
                {settings_fields::fields(view.lesson, &view.settings)}
                {buttons(view, "Run again")}
            </form>
        },
    )
}

/// What a form that runs the lesson sends beside what is filled in.
fn hidden(view: &LessonView) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="wish[lesson]" value=view.lesson.slug />
        <input type="hidden" name="wish[ticket]" value=view.ticket.clone() />
    }
}

/// The buttons that run the lesson, and why they may not be pressed.
fn buttons(view: &LessonView, run: &'static str) -> impl IntoView + use<> {
    let disabled = view.refusal.is_some();
    view! {
        <div class="acts">
            <button type="submit" class="button strong" name="wish[pace]" value="all_at_once" disabled=disabled>{run}</button>
            <button type="submit" class="button" name="wish[pace]" value="step_by_step" disabled=disabled>"Step by step"</button>
        </div>
        <p class="failure" role="alert"></p>
        <p class="refusal">{view.refusal.clone()}</p>
    }
}
