use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::TrafficState;

use crate::api::{self, CurrentTraffic, SetTraffic};
use crate::format;
use crate::hints::{self, Hint};
use crate::live::{Live, LiveState};
use crate::ui::{Card, Form, Label, ServerCall};
use crate::visitor::Visitor;

/// The traffic of the first HTML, and what became of it; `None` where there is none.
#[derive(Clone, Copy)]
pub(crate) struct FirstTraffic {
    state: RwSignal<Option<TrafficState>>,
    /// Whether it was sent with an earlier page than the one that is shown.
    is_old: bool,
}

impl FirstTraffic {
    /// Starts from what the server drew.
    pub(crate) fn provide(first: Option<TrafficState>) {
        provide_context(Self { state: RwSignal::new(first), is_old: false });
    }

    /// Has each card that is mounted from now on ask what is true by then.
    #[cfg(feature = "csr")]
    pub(crate) fn grow_old() {
        provide_context(Self { is_old: true, ..expect_context() });
    }
}

/// The traffic that the service sends itself, and its settings, changeable while it runs. Nothing
/// where it sends none.
#[component]
pub(crate) fn Traffic() -> impl IntoView {
    let FirstTraffic { state, is_old } = expect_context();
    if state.with_untracked(Option::is_none) {
        return ().into_any();
    }
    if is_old {
        fetch(state);
    }
    fetch_again_when_back(state);
    let note = move || match state.get() {
        Some(TrafficState { running: true, .. }) => "running",
        _ => "stopped",
    };
    view! {
        <Card name="traffic" title="Traffic" note=Signal::derive(move || note().to_owned())>
            <Settings state=state />
        </Card>
    }
    .into_any()
}

#[component]
fn Settings(state: RwSignal<Option<TrafficState>>) -> impl IntoView {
    let refusal = Visitor::of_page().refusal();
    let set = ServerCall::to(SetTraffic::PATH);
    Effect::new(move |_| {
        if let Some(Ok(now)) = set.answer() {
            state.set(Some(now));
        }
    });
    let running = move || state.with(|state| state.is_some_and(|state| state.running));
    let value = move |of: fn(TrafficState) -> f64| {
        Signal::derive(move || {
            state.get().map_or(String::new(), |state| format::short(of(state), 4))
        })
    };
    let disabled = move || refusal.with(Option::is_some);
    view! {
        <Form call=set>
            <Field hint=hints::RATE name="rate_per_s" value=value(|s| s.rate_per_s.into()) />
            <Field hint=hints::SKEW name="skew" value=value(|s| s.skew) />
            <Field hint=hints::WRITES name="write_share" value=value(|s| s.write_share) />
            <div class="buttons">
                <button
                    type="submit"
                    class="button"
                    name="running"
                    value=move || running().to_string()
                    disabled=disabled
                >
                    "Apply"
                </button>
                <button
                    type="submit"
                    class="button"
                    name="running"
                    value=move || (!running()).to_string()
                    disabled=disabled
                >
                    {move || if running() { "Stop" } else { "Start" }}
                </button>
            </div>
            <p class="small">{move || refusal.get()}</p>
            <p class="failure" role="alert">{move || set.failure()}</p>
        </Form>
    }
}

#[component]
fn Field(hint: Hint, name: &'static str, value: Signal<String>) -> impl IntoView {
    let id = format!("traffic-{name}");
    view! {
        <div class="field">
            <label for=id.clone()>
                <Label hint=hint />
            </label>
            <input
                id=id
                name=name
                type="number"
                min="0"
                step="any"
                required=true
                value=move || value.get()
                prop:value=move || value.get()
            />
        </div>
    }
}

// Another browser, or a restart, may have changed it while this page could not know.
fn fetch_again_when_back(state: RwSignal<Option<TrafficState>>) {
    let live = expect_context::<Live>();
    Effect::new(move |before: Option<LiveState>| {
        let now = live.state.get();
        if before.is_some_and(|before| before != LiveState::Live) && now == LiveState::Live {
            fetch(state);
        }
        now
    });
}

fn fetch(state: RwSignal<Option<TrafficState>>) {
    leptos::task::spawn_local(async move {
        if let Ok(traffic @ Some(_)) = api::read(api::post_id(CurrentTraffic::PATH, None).await) {
            state.try_set(traffic);
        }
    });
}
