use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_demo::lessons::Lesson;

use super::lesson::{Seen, SeenRun};
use super::{controls, predict};
use crate::api::StartRun;
use crate::screens::sheet::titled;

/// Whether the prediction was right, and what was learned.
pub(super) fn card(seen: &Seen, run: &SeenRun) -> AnyView {
    let question = &seen.lesson.question;
    let guess = run.guess.and_then(|guess| question.answers.get(guess)).copied();
    let right = question.answers.get(question.right).copied().unwrap_or_default();
    let is_right = run.guess == Some(question.right);
    let told = match guess {
        Some(_) if is_right => format!("You were right: {right}."),
        Some(guess) => format!("You said: {guess}. The answer is: {right}."),
        None => format!("The answer is: {right}."),
    };
    let changed = controls::differences(&(seen.lesson.settings)(), &seen.settings);
    let changed = (!changed.is_empty()).then(|| {
        let changed = changed.join("; ");
        view! { <p class="small">"The answer is about the lesson’s own settings. This run had others: "{changed}"."</p> }
    });
    titled(
        "verdict",
        "What you learned",
        "",
        view! {
            <p class="question">{question.text}</p>
            <p class="judged" data-testid="verdict" data-right=is_right.to_string()>{told}</p>
            {changed}
            <p>{seen.lesson.learned}</p>
        },
    )
}

/// Where to go on once a run has ended.
pub(super) fn next(seen: &Seen, run: &SeenRun) -> AnyView {
    let slug = seen.lesson.slug;
    let following = Lesson::ALL.iter().skip_while(|each| each.slug != slug).nth(1);
    let (text, address) = match following {
        Some(lesson) => (format!("Next lesson: {}", lesson.title), format!("/lab/{}", lesson.slug)),
        None => ("All lessons".to_owned(), "/lab".to_owned()),
    };
    let guess = run.guess.map(|guess| {
        view! { <input type="hidden" name="wish[guess]" value=guess.to_string() /> }
    });
    titled(
        "go-on",
        "Go on",
        "",
        view! {
            <div class="acts">
                <a class="button strong" href=address>{text}</a>
                <a class="button" href=format!("/lab/{slug}")>"Start this lesson over"</a>
            </div>
            <form action=StartRun::PATH method="post" class="again" data-testid="run-again">
                {predict::hidden(seen)}
                {guess}
                <h3>"Run it again, and change something"</h3>
                {controls::fields(seen)}
                {predict::buttons(seen, "Run again")}
            </form>
        },
    )
}

#[cfg(test)]
mod tests {
    use strata_demo::lab::{Phase, Settings};

    use super::*;
    use crate::screens::lab::lesson::tests::{run, stampede};

    fn told(seen: &Seen, guess: usize) -> String {
        let run = SeenRun { guess: Some(guess), ..run(Phase::Done) };
        Owner::new().with(|| card(seen, &run).to_html())
    }

    #[test]
    fn a_wrong_prediction_is_told_beside_the_answer() {
        assert!(told(&stampede(), 0).contains("You were right: 1."));
        assert!(told(&stampede(), 2).contains("You said: 50. The answer is: 1."));
    }

    #[test]
    fn other_settings_may_have_another_answer() {
        let own = "The answer is about the lesson";
        assert!(!told(&stampede(), 0).contains(own));
        let settings = Settings { nodes: 3, ..stampede().settings };
        let html = told(&Seen { settings, ..stampede() }, 0);
        assert!(html.contains(own) && html.contains("Nodes: 3 instead of 2"));
    }
}
