use leptos::prelude::*;
use strata_report::{EntryLook, KeyLook, L2Look, SourceLook};

use super::value;
use crate::format::{self, DASH};
use crate::screens::page_frame::{partial_answers, titled_card};
use crate::screens::words;

/// One place where the key was looked for.
struct KeyCopy {
    place: String,
    class: &'static str,
    state: String,
    facts: Vec<(&'static str, String)>,
    value: Option<String>,
    hidden: bool,
    differs: Option<bool>,
}

/// The key in L1 of each node, in L2 and in the database, side by side.
pub(super) fn card(look: &KeyLook) -> AnyView {
    let copies = copies(look);
    let truth = match &look.source {
        Some(SourceLook::Value { value }) => Some(value::shown(value).0),
        _ => None,
    };
    let is_hidden = matches!(look.source, Some(SourceLook::Hidden));
    let columns = copies.iter().map(|copy| column(copy, truth.as_deref())).collect_view();
    let note = match is_hidden {
        true => "the database's value is hidden from you".to_owned(),
        false => note(look, &copies, truth.is_some()),
    };
    titled_card(
        "where",
        "Where it is",
        note,
        view! {
            {partial_answers(look.partial.as_ref())}
            {look.no_values.clone().map(|why| view! { <p class="small">{why}</p> })}
            <div class="copies">{columns}</div>
        },
    )
}

/// Says "every copy" only where each place was asked and at least one has a copy.
fn note(look: &KeyLook, copies: &[KeyCopy], has_truth: bool) -> String {
    let n = |differs| copies.iter().filter(|copy| copy.differs == Some(differs)).count() as u64;
    let l2_unknown = if look.l2.is_none() { "; L2 was not compared" } else { "" };
    match (n(true), n(false)) {
        _ if !has_truth => "there is no value in the database to compare with".to_owned(),
        (0, 0) => format!("no copy to compare with the database{l2_unknown}"),
        (0, same) if look.l2.is_none() => {
            format!(
                "{} with the database{l2_unknown}",
                format::plural(same, "copy agrees", "copies agree")
            )
        }
        (0, _) => "every copy agrees with the database".to_owned(),
        (n, _) => {
            format!("{} from the database", format::plural(n, "copy differs", "copies differ"))
        }
    }
}

fn column(copy: &KeyCopy, truth: Option<&str>) -> impl IntoView + use<> {
    let facts =
        copy.facts.iter().map(|(name, text)| view! { <dt>{*name}</dt><dd>{text.clone()}</dd> });
    let facts = facts.collect_view();
    let differs = copy.differs == Some(true);
    let value = copy.value.as_ref().map(|json| {
        let (text, is_cut) = value::shown(json);
        // Only a copy that differs is read line by line.
        let marks = match truth.filter(|_| differs) {
            Some(truth) => value::differing_lines(&text, truth),
            None => Vec::new(),
        };
        let line = |(i, line): (usize, &str)| {
            let line = format!("{line}\n");
            match marks.get(i) {
                Some(true) => view! { <mark>{line}</mark> }.into_any(),
                _ => line.into_any(),
            }
        };
        let lines = text.lines().enumerate().map(line).collect_view();
        view! {
            <pre class="value" tabindex="0" role="region" aria-label=format!("Value in {}", copy.place)>{lines}</pre>
            {is_cut.then(|| view! { <p class="small">"Shortened here. The whole value is in the JSON of this page."</p> })}
        }
    });
    view! {
        <section class=format!("copy {}", copy.class) data-differs=differs.to_string() aria-label=copy.place.clone()>
            <h3 class=format!("swatch {}", copy.class)>{copy.place.clone()}</h3>
            <p class="state">{copy.state.clone()}</p>
            {differs.then(|| view! { <p class="failure">"Differs from the database."</p> })}
            <dl>{facts}</dl>
            {copy.hidden.then(|| view! { <p class="small">"Its value is hidden: you may not read values, or this cache shows none."</p> })}
            {value}
        </section>
    }
}

fn copies(look: &KeyLook) -> Vec<KeyCopy> {
    let l1 = look.l1.iter().map(|l1| {
        let place = format!("L1 of node {}", l1.node);
        match &l1.entry {
            Some(entry) => of_entry(place, "l1", entry, l1.differs),
            None if l1.unknown.is_some() => without(place, "l1", "not known: no answer"),
            None => without(place, "l1", "not there"),
        }
    });
    let l2 = match &look.l2 {
        None => without("L2".to_owned(), "l2", "off or not reachable"),
        Some(L2Look::Absent) => without("L2".to_owned(), "l2", "not there"),
        Some(L2Look::Leased) => without("L2".to_owned(), "l2", "a node is loading it"),
        Some(L2Look::Unreadable) => {
            without("L2".to_owned(), "l2", "not an entry of this version; read as a miss")
        }
        Some(L2Look::Entry(entry)) => of_entry("L2".to_owned(), "l2", entry, look.l2_differs),
    };
    let place = "Database".to_owned();
    let source = match &look.source {
        None => without(place, "source", "not available for this cache"),
        Some(SourceLook::Absent) => without(place, "source", "has no such row"),
        Some(SourceLook::Failed { why }) => without(place, "source", &format!("failed to {why}")),
        Some(SourceLook::Hidden) => {
            KeyCopy { hidden: true, ..without(place, "source", "asked just now") }
        }
        Some(SourceLook::Value { value }) => {
            KeyCopy { value: Some(value.clone()), ..without(place, "source", "asked just now") }
        }
    };
    l1.chain([l2, source]).collect()
}

fn without(place: String, class: &'static str, state: &str) -> KeyCopy {
    KeyCopy {
        place,
        class,
        state: state.to_owned(),
        facts: Vec::new(),
        value: None,
        hidden: false,
        differs: None,
    }
}

fn of_entry(
    place: String,
    class: &'static str,
    entry: &EntryLook,
    differs: Option<bool>,
) -> KeyCopy {
    let hidden = entry.value_hidden;
    let state = match (entry.fresh, entry.value.is_some() || hidden) {
        (true, true) => "fresh",
        (true, false) => "“not found” is cached",
        (false, _) if entry.served_stale => "stale: the next read gets it and reloads it",
        (false, _) => "expired: the next read reloads it",
    };
    let mut facts = vec![
        ("age", format::span(entry.age_ms)),
        ("time left", entry.expires_in_ms.map_or("no deadline".to_owned(), format::span)),
        ("size", words::bytes(entry.bytes)),
        ("version", entry.version.map_or(DASH.to_owned(), |version| version.to_string())),
    ];
    if !entry.tags.is_empty() {
        facts.push(("tags", tags(&entry.tags)));
    }
    let (state, value) = (state.to_owned(), entry.value.clone());
    KeyCopy { place, class, state, facts, value, hidden, differs }
}

fn tags(tags: &[String]) -> String {
    tags.iter().map(|tag| words::visible(tag)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use strata_report::L1Look;

    use super::*;

    fn entry(value: &str) -> EntryLook {
        let wire =
            serde_json::json!({ "value": value, "fresh": true, "age_ms": 2_000, "tags": [] });
        serde_json::from_value(wire).unwrap()
    }

    #[test]
    fn a_copy_that_differs_is_marked_and_script_stays_text() {
        let stale = L1Look {
            node: "1".into(),
            entry: Some(entry("{\"a\":\"<script>\"}")),
            differs: Some(true),
            unknown: None,
        };
        let source = SourceLook::Value { value: "{\"a\":2}".to_owned() };
        let look = KeyLook { l1: vec![stale], source: Some(source), ..KeyLook::default() };
        let html = Owner::new().with(|| card(&look).to_html());
        assert!(html.contains("Differs from the database."));
        assert!(html.contains("<mark>") && html.contains("&lt;script&gt;"));
        assert!(!html.contains("<script>"));
        assert!(html.contains("1 copy differs"));
    }

    #[test]
    fn copies_agree_only_where_there_are_some() {
        let truth = || Some(SourceLook::Value { value: "1".to_owned() });
        let absent = KeyLook {
            l1: vec![L1Look { node: "1".into(), entry: None, differs: None, unknown: None }],
            l2: Some(L2Look::Absent),
            source: truth(),
            ..KeyLook::default()
        };
        let told = |look: &KeyLook| note(look, &copies(look), true);
        assert_eq!(told(&absent), "no copy to compare with the database");
        let same = vec![L1Look {
            node: "1".into(),
            entry: Some(entry("1")),
            differs: Some(false),
            unknown: None,
        }];
        let look = KeyLook { l1: same.clone(), l2: Some(L2Look::Absent), ..absent };
        assert_eq!(told(&look), "every copy agrees with the database");
        let without_l2 = KeyLook { l1: same, source: truth(), ..KeyLook::default() };
        assert_eq!(told(&without_l2), "1 copy agrees with the database; L2 was not compared");
    }
}
