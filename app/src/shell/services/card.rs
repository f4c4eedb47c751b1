use leptos::prelude::*;
use strata_report::{Frame, Severity};

use super::page::ListedService;
use super::state::{ServiceState, recent_reads};
use crate::addresses::{at_program, encode};
use crate::format::{percent, rate};
use crate::ui::{Badge, Bar, Segment, Tone};

/// One service of the list: its numbers, or why there are none.
pub(super) fn card(service: ListedService) -> impl IntoView {
    let ListedService { id, namespace, redis, frame } = service;
    let state = ServiceState::of(&frame);
    let sentence = state.sentence(redis.as_deref()).map(|why| view! { <p class="why">{why}</p> });
    // Numbers of nobody are none, and not noughts.
    let numbers = (state == ServiceState::Up).then(|| numbers(&frame));
    let redis = redis.map(|name| view! { <span class="badge">{name}</span> });
    let address = at_program(&format!("/s/{}/", encode(&id)));
    view! {
        <li class="card service" data-state=state.as_str()>
            <header>
                <h2><a id=format!("link-{id}") href=address>{namespace}</a></h2>
                {redis}
            </header>
            <div id=format!("service-{id}") data-live="">
                {sentence}
                {numbers}
                <p class="states">{nodes(&frame)}{alerts(&frame)}</p>
            </div>
        </li>
    }
}

fn numbers(frame: &Frame) -> impl IntoView + use<> {
    let recent = recent_reads(frame);
    let (outcomes, reads) = (recent.outcomes, recent.outcomes.reads());
    let share = |part: u64| (reads > 0).then(|| part as f64 / reads as f64);
    let below = reads.saturating_sub(outcomes.l1_hit + outcomes.l2_hit);
    let layers = [("l1", outcomes.l1_hit), ("l2", outcomes.l2_hit), ("source", below)];
    let segment = |(class, n)| Segment { class, share: share(n).unwrap_or_default() };
    let segments = Signal::stored(layers.map(segment).to_vec());
    let number = |class, name, text: String| {
        view! { <div class=class><dt>{name}</dt><dd>{text}</dd></div> }
    };
    view! {
        <dl>
            {number("reads", "Reads/s", rate(recent.per_second(reads)))}
            {number("l1", "L1", percent(share(outcomes.l1_hit)))}
            {number("l2", "L2", percent(share(outcomes.l2_hit)))}
            {number("source", "Below both", percent(share(below)))}
        </dl>
        <Bar segments=segments />
    }
}

fn nodes(frame: &Frame) -> impl IntoView + use<> {
    let fleet = frame.fleet.clone().unwrap_or_default();
    let late = if fleet.late > 0 { format!(", {} late", fleet.late) } else { String::new() };
    let nodes = if fleet.of == 1 { "node" } else { "nodes" };
    let text = format!("{} of {} {nodes} up{late}", fleet.counted - fleet.late, fleet.of);
    let is_whole = fleet.counted == fleet.of && fleet.late == 0 && fleet.of > 0;
    let tone = if is_whole { Tone::Good } else { Tone::Bad };
    let is_heard = fleet.unheard_ms.is_none() && fleet.of > 0;
    is_heard.then(|| view! { <Badge text=Signal::stored(text) tone=Signal::stored(tone) /> })
}

fn alerts(frame: &Frame) -> impl IntoView + use<> {
    let alerts = frame.alerts;
    let text = match alerts.count {
        0 => "no alerts".to_owned(),
        1 => "1 alert".to_owned(),
        n => format!("{n} alerts"),
    };
    let is_bad = alerts.worst.is_some_and(|worst| worst > Severity::Notice);
    let tone = if is_bad { Tone::Bad } else { Tone::Plain };
    view! { <Badge text=Signal::stored(text) tone=Signal::stored(tone) /> }
}
