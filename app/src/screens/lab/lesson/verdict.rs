use leptos::prelude::*;
use strata_lab::Lesson;

use super::faults;
use super::view::{LessonRun, LessonView};
use crate::addresses::at;
use crate::screens::lab::settings_fields;

/// Whether the prediction was right, and what was learned.
pub(super) fn sentences(view: &LessonView, run: &LessonRun) -> AnyView {
    let question = &view.lesson.question;
    let guess = run.guess.and_then(|guess| question.answers.get(guess)).copied();
    let right = question.answers.get(question.right).copied().unwrap_or_default();
    let is_right = run.guess == Some(question.right);
    let judged = match guess {
        Some(_) if is_right => format!("You were right: {right}."),
        Some(guess) => format!("You said: {guess}. The answer is: {right}."),
        None => format!("The answer is: {right}."),
    };
    let changed = settings_fields::differences(&(view.lesson.settings)(), &view.settings);
    let changed = (!changed.is_empty()).then(|| {
        let changed = changed.join("; ");
        view! { <p class="small">"The answer is about the lesson’s own settings. This run had others: "{changed}"."</p> }
    });
    view! {
        <p class="question">{question.text}</p>
        <p class="judged" data-testid="verdict" data-right=is_right.to_string()>{judged}</p>
        {changed}
        {broken(run)}
        <p>{view.lesson.learned}</p>
    }
    .into_any()
}

/// What the sentence below does not hold for.
fn broken(run: &LessonRun) -> Option<AnyView> {
    let broken: Vec<_> =
        run.state.broken_by_hand.iter().map(|fault| faults::title(*fault)).collect();
    (!broken.is_empty()).then(|| {
        let broken = broken.join(", ");
        view! {
            <p class="small" data-testid="broken">
                "You broke something during this run: "{broken}". The answer and the explanation hold without the fault; the results show what really happened."
            </p>
        }
        .into_any()
    })
}

/// Where to go on once a run has ended.
pub(super) fn next_links(view: &LessonView) -> AnyView {
    let slug = view.lesson.slug;
    let following = Lesson::ALL.iter().skip_while(|each| each.slug != slug).nth(1);
    let (text, address) = match following {
        Some(lesson) => {
            (format!("Next lesson: {}", lesson.title), at(&format!("/lab/{}", lesson.slug)))
        }
        None => ("All lessons".to_owned(), at("/lab")),
    };
    view! {
        <div class="acts">
            <a class="button strong" href=address>{text}</a>
            <a class="button" href=at(&format!("/lab/{slug}"))>"Start this lesson over"</a>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use strata_lab::{Fault, Phase, Settings};

    use super::*;
    use crate::screens::lab::lesson::page::tests::{run, stampede};

    fn judged(view: &LessonView, guess: usize) -> String {
        let run = LessonRun { guess: Some(guess), ..run(Phase::Done) };
        Owner::new().with(|| sentences(view, &run).to_html())
    }

    #[test]
    fn a_wrong_prediction_is_told_beside_the_answer() {
        assert!(judged(&stampede(), 0).contains("You were right: 1."));
        assert!(judged(&stampede(), 2).contains("You said: 50. The answer is: 1."));
    }

    #[test]
    fn who_broke_something_is_told_that_the_answer_is_about_a_run_without_it() {
        assert!(!judged(&stampede(), 0).contains("You broke something"));
        let mut run = LessonRun { guess: Some(0), ..run(Phase::Done) };
        run.state.broken_by_hand = vec![Fault::DatabaseAway];
        let html = Owner::new().with(|| sentences(&stampede(), &run).to_html());
        assert!(html.contains("You broke something") && html.contains("Database away"), "{html}");
    }

    #[test]
    fn other_settings_may_have_another_answer() {
        let own = "The answer is about the lesson";
        assert!(!judged(&stampede(), 0).contains(own));
        let settings = Settings { nodes: 3, ..stampede().settings };
        let html = judged(&LessonView { settings, ..stampede() }, 0);
        assert!(html.contains(own) && html.contains("Nodes: 3 instead of 2"));
    }
}
