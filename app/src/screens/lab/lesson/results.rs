use leptos::prelude::*;
use strata_lab::Phase;

use super::view::{LessonRun, LessonView};
use crate::screens::lab::run;
use crate::screens::page_frame::titled_card;

/// What each contender came to; the same columns in every lesson.
pub(super) fn card(view: &LessonView, run: &LessonRun) -> Option<AnyView> {
    let performances = &run.state.contenders;
    if run.is_running() || performances.is_empty() {
        return None;
    }
    let note = match run.state.phase {
        Phase::Done => "counted on this machine, in this run",
        _ => "so far",
    };
    Some(titled_card(
        "results",
        "Results",
        note,
        view! {
            <p class="watch-for"><strong>"Watch for: "</strong>{view.lesson.watch_for}</p>
            {run::table(performances)}
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::lab::lesson::page::tests::{run, stampede};

    fn table(run: &LessonRun) -> Option<String> {
        Owner::new().with(|| Some(card(&stampede(), run)?.to_html()))
    }

    #[test]
    fn a_result_shows_once_the_run_has_ended() {
        assert_eq!(table(&run(Phase::Running)), None);
        let html = table(&run(Phase::Done)).expect("there is a table");
        assert_eq!(html.matches("<tr>").count(), 3);
    }

    #[test]
    fn where_contenders_differ_is_marked() {
        let html = table(&run(Phase::Done)).expect("there is a table");
        assert_eq!(html.matches("differs").count(), 2, "50 queries against 1");
    }
}
