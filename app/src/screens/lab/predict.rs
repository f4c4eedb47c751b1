use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::controls;
use super::lesson::Seen;
use crate::api::StartRun;
use crate::screens::sheet::titled;

/// The question, and the buttons that run the lesson once it is answered.
pub(super) fn card(seen: &Seen) -> AnyView {
    let question = &seen.lesson.question;
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
    titled(
        "predict",
        "Predict, then run",
        "a wrong guess teaches more than none",
        view! {
            <form action=StartRun::PATH method="post" data-testid="predict">
                {hidden(seen)}
                <fieldset class="answers">
                    <legend>{question.text}</legend>
                    {answers}
                </fieldset>
                {controls::fields(seen)}
                {buttons(seen, "Run it")}
            </form>
        },
    )
}

/// What a form that runs the lesson sends beside what is filled in.
pub(super) fn hidden(seen: &Seen) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="wish[lesson]" value=seen.lesson.slug />
        <input type="hidden" name="wish[ticket]" value=seen.ticket.clone() />
    }
}

/// The buttons that run the lesson, and why they may not be pressed.
pub(super) fn buttons(seen: &Seen, run: &'static str) -> impl IntoView + use<> {
    let disabled = seen.refusal.is_some();
    view! {
        <div class="acts">
            <button type="submit" class="button strong" name="wish[pace]" value="all_at_once" disabled=disabled>{run}</button>
            <button type="submit" class="button" name="wish[pace]" value="step_by_step" disabled=disabled>"Step by step"</button>
        </div>
        <p class="failure" role="alert"></p>
        <p class="refusal">{seen.refusal.clone()}</p>
    }
}
