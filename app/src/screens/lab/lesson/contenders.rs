use leptos::prelude::*;
use strata_lab::ContenderRun;

use super::page::{LessonRun, LessonView};
use crate::format;
use crate::screens::lab::{run, settings_fields};

/// What each contender did, side by side.
pub(super) fn cards(view: &LessonView, run: &LessonRun) -> AnyView {
    let performances = &run.state.contenders;
    let played = performances.iter().enumerate().map(|(i, each)| card(view, i, each));
    let awaited = view.lesson.variants.iter().enumerate().skip(performances.len());
    let awaited = awaited.filter(|_| run.is_running()).map(|(i, variant)| {
        let text = view! { <p class="empty">"Waiting for its turn."</p> };
        section(i, variant.title.to_owned(), String::new(), text.into_any())
    });
    let n = view.lesson.variants.len();
    view! { <div class=format!("contenders of-{n}")>{played.collect_view()}{awaited.collect_view()}</div> }.into_any()
}

fn card(view: &LessonView, i: usize, performance: &ContenderRun) -> AnyView {
    let own = settings_fields::differences(&view.settings, &performance.settings).join("; ");
    let own = (!own.is_empty()).then(|| view! { <p class="small">{own}</p> });
    let result = &performance.result;
    let note = format!(
        "{} in {}",
        format::plural(result.outcomes.reads(), "read", "reads"),
        format::span(result.took_ms)
    );
    let body = view! {
        {own}
        {run::layers(&result.outcomes)}
        {run::list(&performance.steps)}
    };
    section(i, performance.title.clone(), note, body.into_any())
}

fn section(i: usize, title: String, note: String, body: AnyView) -> AnyView {
    let (id, heading) = (format!("contender-{}", i + 1), format!("contender-{}-title", i + 1));
    view! {
        <section class="card contender" id=id aria-labelledby=heading>
            <header>
                <h2 id=heading.clone()>{title}</h2>
                <p>{note}</p>
            </header>
            {body}
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use strata_lab::Phase;

    use super::*;
    use crate::screens::lab::lesson::page::tests::{run, stampede};

    #[test]
    fn who_has_not_begun_is_awaited() {
        let mut running = run(Phase::Running);
        running.state.contenders.truncate(1);
        let html = |run: &LessonRun| Owner::new().with(|| cards(&stampede(), run).to_html());
        assert_eq!(html(&running).matches("Waiting for its turn.").count(), 1);
        running.state.phase = Phase::Stopped;
        assert!(!html(&running).contains("Waiting for its turn."));
    }
}
