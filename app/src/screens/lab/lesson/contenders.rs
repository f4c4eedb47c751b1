use leptos::prelude::*;
use strata_lab::ContenderRun;

use super::view::{LessonRun, LessonView};
use crate::format;
use crate::screens::lab::run::{self, ContenderCard, contenders};
use crate::screens::lab::settings_fields;

/// What each contender did, side by side.
pub(super) fn cards(view: &LessonView, run: &LessonRun) -> AnyView {
    let begun = &run.state.contenders;
    let variants = &view.lesson.variants;
    let mut cards: Vec<_> = begun.iter().map(|each| card(view, each)).collect();
    if run.is_running() {
        let titles = variants.iter().skip(begun.len()).map(|variant| variant.title.to_owned());
        cards.extend(titles.map(ContenderCard::awaited));
    }
    contenders(cards, variants.len())
}

fn card(view: &LessonView, contender: &ContenderRun) -> ContenderCard {
    let own = settings_fields::differences(&view.settings, &contender.settings).join("; ");
    let own = (!own.is_empty()).then(|| view! { <p class="small">{own}</p> });
    let result = &contender.result;
    let note = format!(
        "{} in {}",
        format::plural(result.outcomes.reads(), "read", "reads"),
        format::span(result.took_ms)
    );
    let body = view! {
        {own}
        {run::layers(&result.outcomes)}
        {run::list(&contender.steps)}
    };
    ContenderCard { title: contender.title.clone(), note, body: body.into_any() }
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
