use leptos::prelude::*;
use strata_lab::StrategyKind;

use super::highlight::coloured;
use super::view::LessonView;
use crate::screens::lab::settings_fields::differences;
use crate::screens::page_frame::titled_card;

/// The code of each contender, from the very file that runs.
pub(super) fn card(view: &LessonView) -> AnyView {
    let mut kinds: Vec<StrategyKind> = Vec::new();
    for variant in view.lesson.variants {
        if !kinds.contains(&variant.strategy) {
            kinds.push(variant.strategy);
        }
    }
    let n = kinds.len();
    let files = kinds.into_iter().map(|kind| file(view, kind)).collect_view();
    titled_card(
        "code",
        "The code",
        "the files that run",
        view! { <div class=format!("sources of-{n}")>{files}</div> },
    )
}

fn file(view: &LessonView, kind: StrategyKind) -> impl IntoView + use<> {
    // What somebody closed stays closed while a run is watched.
    let is_open = view.run.is_none();
    let path = format!("lab/src/strategies/{}", kind.file_name());
    let id = format!("code-{}", kind.as_str());
    let contenders = view.lesson.experiment(&view.settings).contenders.into_iter();
    let own = contenders.filter(|each| each.strategy == kind).filter_map(|each| {
        let own = differences(&view.settings, &each.settings).join("; ");
        (!own.is_empty()).then(|| view! { <p class="small">{each.title}": "{own}</p> })
    });
    let own = own.collect_view();
    view! {
        <details class="source-file" id=id open=is_open>
            <summary><b>{kind.title()}</b>" "<code>{path.clone()}</code></summary>
            {own}
            <pre tabindex="0" role="region" aria-label=path inner_html=coloured(kind.code())></pre>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::lab::lesson::page::tests::stampede;

    #[test]
    fn the_mistake_stands_beside_ours() {
        let html = Owner::new().with(|| card(&stampede()).to_html());
        for path in ["fill_by_hand.rs", "cache_aside.rs"] {
            assert!(html.contains(path), "{path}");
        }
        assert!(html.contains("of-2") && html.contains("open"));
    }
}
