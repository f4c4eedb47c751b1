use leptos::prelude::*;

use crate::api;
use crate::live::{Live, LiveState};
use crate::ui::Card;

// Their words change more often than their number does.
const FRAMES_BETWEEN: u32 = 10;

/// The alerts of the first HTML, as HTML.
#[derive(Clone)]
pub(crate) struct FirstAlerts(pub(crate) String);

/// What somebody should look at, each with what to do; drawn by the server.
#[component]
pub(crate) fn Alerts() -> impl IntoView {
    let FirstAlerts(first) = expect_context();
    let live = expect_context::<Live>();
    let html = RwSignal::new(first);
    let head = Memo::new(move |_| live.frame.with(|frame| frame.alerts));
    let n_frames = StoredValue::new(0);
    Effect::new(move |before: Option<_>| {
        live.frame.track();
        let now = head.get();
        n_frames.update_value(|n| *n += 1);
        let due =
            before.is_some_and(|before| before != now) || n_frames.get_value() >= FRAMES_BETWEEN;
        if due && live.state.get_untracked() == LiveState::Live {
            n_frames.set_value(0);
            leptos::task::spawn_local(async move {
                // Where it cannot be asked for, the line above says that the server is lost.
                if let Ok(drawn) = api::fetch_page("/alerts").await {
                    html.try_set(drawn);
                }
            });
        }
        now
    });
    let note = move || match head.get().count {
        0 => "none".to_owned(),
        n => format!("{n}, worst first"),
    };
    view! {
        <Card name="alerts" title="What to look at" note=Signal::derive(note)>
            <div inner_html=move || html.get()></div>
        </Card>
    }
    .into_any()
}
