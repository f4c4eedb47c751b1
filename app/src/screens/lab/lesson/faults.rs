use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::Fault;

use super::view::{LessonRun, LessonView};
use crate::addresses::at;
use crate::api::ChangeFault;

/// Buttons that break something while the run goes on, and mend it when pressed again.
pub(super) fn form(view: &LessonView, run: &LessonRun) -> AnyView {
    let disabled = view.refusal.is_some();
    let button = |fault: Fault| {
        let is_broken = run.state.faults.contains(&fault);
        let (name, pressed) = if is_broken { ("mend", "true") } else { ("inflict", "false") };
        view! {
            <button type="submit" class="button" name=name value=fault.as_str() aria-pressed=pressed disabled=disabled>{title(fault)}</button>
        }
    };
    let buttons = Fault::ALL.into_iter().filter(|fault| is_possible(view, *fault)).map(button);
    view! {
        <form action=at(ChangeFault::PATH) method="post" data-testid="faults">
            <input type="hidden" name="id" value=run.id.clone() />
            <fieldset class="faults">
                <legend>"Break something; press again to repair it"</legend>
                {buttons.collect_view()}
            </fieldset>
            <p class="failure" role="alert"></p>
        </form>
    }
    .into_any()
}

// Where the only node is cut off or gone, nothing is left to look at.
fn is_possible(view: &LessonView, fault: Fault) -> bool {
    let has_others = view.settings.nodes > 1;
    match fault {
        Fault::SlowDatabase | Fault::DatabaseAway => true,
        Fault::RedisAway => view.has_redis,
        Fault::BusSilent => view.has_redis && has_others,
        Fault::NodeKilled => has_others,
    }
}

pub(super) const fn title(fault: Fault) -> &'static str {
    match fault {
        Fault::SlowDatabase => "Slow database",
        Fault::DatabaseAway => "Database away",
        Fault::RedisAway => "Redis away",
        Fault::BusSilent => "Last node off the bus",
        Fault::NodeKilled => "Last node killed",
    }
}

#[cfg(test)]
mod tests {
    use strata_lab::{Phase, Settings};

    use super::*;
    use crate::screens::lab::lesson::page::tests::{run, stampede};

    #[test]
    fn a_pressed_button_mends() {
        let mut running = run(Phase::Running);
        running.state.faults = vec![Fault::RedisAway];
        let html = Owner::new().with(|| form(&stampede(), &running).to_html());
        assert_eq!(html.matches("name=\"inflict\"").count(), 4);
        let button = html.split("<button").find(|tag| tag.contains("redis_away"));
        let button = button.expect("there is a button");
        assert!(button.contains("name=\"mend\"") && button.contains("aria-pressed=\"true\""));
    }

    #[test]
    fn an_only_node_is_not_killed() {
        let settings = Settings { nodes: 1, ..stampede().settings };
        let view = LessonView { settings, has_redis: false, ..stampede() };
        let html = Owner::new().with(|| form(&view, &run(Phase::Running)).to_html());
        assert_eq!(html.matches("<button").count(), 2);
    }
}
