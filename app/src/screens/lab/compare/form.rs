use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::{ComparedStrategy, Comparison, Settings, StrategyKind};

use super::view::ComparisonView;
use crate::addresses::{at, comparison_address};
use crate::api::Compare;
use crate::screens::lab::settings_fields::SETTING_FIELDS;
use crate::screens::page_frame::titled_card;

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
const OWN: [&str; 3] = ["l1_entries", "time_to_live_ms", "nodes"];
const SHARED: [&str; 8] = [
    "seed",
    "requests",
    "items",
    "skew",
    "write_share",
    "readers",
    "l1_entries",
    "source_delay_ms",
];
// A recorded trace says which items are asked for.
const OF_SEED: [&str; 2] = ["items", "skew"];

/// What is compared, to be filled in and run.
pub(super) fn card(view: &ComparisonView) -> AnyView {
    let comparison = &view.comparison;
    let base = Comparison::base(comparison.trace.as_deref());
    let is_asked = |name: &&str| comparison.trace.is_none() || !OF_SEED.contains(name);
    let shared = SHARED.into_iter().filter(is_asked).map(|name| {
        let value = comparison.settings.get(name).unwrap_or_default();
        number(name, format!("fields[{name}]"), value)
    });
    let shared = shared.collect_view();
    let differing = comparison.settings.differing(&base).into_iter();
    let hidden = differing.filter(|(name, _)| !SHARED.contains(&name.as_str()));
    let hidden = hidden.map(|(name, text)| kept(format!("fields[{name}]"), text)).collect_view();
    let rivals = LETTERS.into_iter().enumerate();
    let rivals = rivals.map(|(i, letter)| rival(letter, comparison.strategies.get(i), &base));
    let rivals = rivals.collect_view();
    let disabled = view.refusal.is_some();
    titled_card(
        "what-compared",
        "What is compared",
        "empty = the common value below",
        view! {
            <form action=at(Compare::PATH) method="post" data-testid="compare">
                <input type="hidden" name="ticket" value=view.ticket.clone() />
                <div class="rivals">{rivals}</div>
                <fieldset class="for-all">
                    <legend>"For all of them"</legend>
                    <div class="fields">{requests(view)}{shared}</div>
                </fieldset>
                {hidden}
                <div class="acts">
                    <button type="submit" class="button strong" disabled=disabled>"Run it"</button>
                    <a href=comparison_address(comparison) data-testid="share">"Link to this comparison"</a>
                </div>
                <p class="failure" role="alert"></p>
                <p class="refusal">{view.refusal.clone()}</p>
            </form>
        },
    )
}

fn rival(letter: &'static str, rival: Option<&ComparedStrategy>, base: &Settings) -> AnyView {
    let chosen = rival.map(|rival| rival.strategy);
    let option = |kind: StrategyKind| {
        let selected = chosen == Some(kind);
        view! { <option value=kind.as_str() selected=selected>{kind.title()}</option> }
    };
    let options = StrategyKind::ALL.iter().copied().map(option).collect_view();
    let own = |name: &str| {
        let own = rival.and_then(|rival| rival.own.iter().find(|(known, _)| known == name));
        own.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let numbers = OWN.map(|name| number(name, format!("fields[{letter}.{name}]"), own(name)));
    let others = rival.map(|rival| {
        let others = rival.own.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        let others = others.filter(|(name, _)| base.get(name).is_some());
        let field = |(name, text): &(String, String)| {
            kept(format!("fields[{letter}.{name}]"), text.clone())
        };
        others.map(field).collect_view()
    });
    let id = format!("strategy-{letter}");
    view! {
        <fieldset class="rival">
            <legend>{format!("Contender {}", letter.to_uppercase())}</legend>
            <div class="field">
                <label for=id.clone()>"Strategy"</label>
                <select id=id name=format!("fields[{letter}]")>
                    <option value="" selected=chosen.is_none()>"none"</option>
                    {options}
                </select>
            </div>
            {numbers.into_iter().collect_view()}
            {others}
        </fieldset>
    }
    .into_any()
}

fn requests(view: &ComparisonView) -> impl IntoView + use<> {
    let chosen = view.comparison.trace.clone().unwrap_or_default();
    let option = |id: String, title: String| {
        let selected = id == chosen;
        view! { <option value=id selected=selected>{title}</option> }
    };
    let listed: Vec<_> =
        view.listed.iter().map(|one| option(one.id.clone(), one.title.clone())).collect();
    let is_listed = chosen.is_empty() || view.listed.iter().any(|one| one.id == chosen);
    let own = (!is_listed).then(|| {
        let title = view.trace.as_ref().map(|trace| trace.stored.recording.title.clone());
        option(chosen.clone(), title.unwrap_or_else(|| "A trace that is gone".to_owned()))
    });
    view! {
        <div class="field">
            <label for="set-trace">"Requests"</label>
            <select id="set-trace" name="fields[trace]">
                <option value="" selected=chosen.is_empty()>"Generated"</option>
                {own}
                {listed}
            </select>
        </div>
    }
}

fn number(name: &str, field: String, value: String) -> AnyView {
    let Some((_, label, unit, range)) =
        SETTING_FIELDS.into_iter().find(|(known, ..)| *known == name)
    else {
        return kept(field, value).into_any();
    };
    let id = field.replace(['[', ']', '.'], "-");
    let label = if unit.is_empty() { label.to_owned() } else { format!("{label}, {unit}") };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                type="number" inputmode="decimal" step="any" id=id name=field value=value
                min=range.start().to_string() max=range.end().to_string()
            />
        </div>
    }
    .into_any()
}

// Set in the address alone; it stays as it is.
fn kept(name: String, text: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=text /> }
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::view;
    use super::*;

    fn html(query: &str) -> String {
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        let comparison = Comparison::of_fields(fields).expect("it can be compared");
        Owner::new().with(|| card(&ComparisonView { comparison, ..view() }).to_html())
    }

    #[test]
    fn what_the_address_says_stands_in_the_form() {
        let html = html("a=cache-aside&b=no-cache&a.l1_entries=7&a.grace_ms=9&jitter=0.5&seed=99");
        let value = |name: &str| {
            let tag = html.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")))?;
            tag.split("value=\"").nth(1)?.split('"').next().map(str::to_owned)
        };
        for (name, text) in [
            ("fields[a.l1_entries]", "7"),
            ("fields[a.grace_ms]", "9"),
            ("fields[jitter]", "0.5"),
            ("fields[seed]", "99"),
        ] {
            assert_eq!(value(name).as_deref(), Some(text), "{name}");
        }
        assert!(html.contains("value=\"cache-aside\" selected"), "{html}");
    }

    #[test]
    fn a_trace_says_which_items_are_asked_for() {
        assert!(html("a=cache-aside&b=no-cache").contains("fields[skew]"));
        let html = html("a=cache-aside&b=no-cache&trace=zipf");
        assert!(!html.contains("fields[skew]") && html.contains("value=\"zipf\" selected"));
    }
}
