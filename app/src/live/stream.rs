//! What the page's own script tells the program, and what the program tells it: events of the
//! window, whose data are texts.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use strata_report::{Frame, Snapshot};
use web_sys::{Event, MessageEvent};

use super::{Live, LiveState};

/// Follows the stream from now on. The script hands events on at most once a frame of the screen.
pub(super) fn follow(live: Live) {
    listen("strata-state", move |word| {
        if let Some(state) = LiveState::of(&word) {
            live.state.set(state);
        }
    });
    listen("strata-snapshot", move |text| match serde_json::from_str(&text) {
        Ok(Snapshot { frame, history }) => {
            live.ring.update_value(|ring| ring.replace(history));
            live.show(frame);
        }
        Err(_) => tell("strata-misread"),
    });
    listen("strata-frame", move |text| match serde_json::from_str::<Frame>(&text) {
        Ok(frame) => {
            live.ring.update_value(|ring| ring.push(frame.point));
            live.show(frame);
        }
        Err(_) => tell("strata-misread"),
    });
}

/// Has the script stop the numbers, or go on.
pub(super) fn toggle() {
    tell("strata-toggle");
}

fn listen(name: &'static str, act: impl Fn(String) + 'static) {
    let _ = window_event_listener_untyped(name, move |event| {
        act(event.unchecked_into::<MessageEvent>().data().as_string().unwrap_or_default());
    });
}

fn tell(name: &str) {
    // An event that cannot be made, or is not heard, leaves the page as it is.
    if let Ok(event) = Event::new(name) {
        let _ = window().dispatch_event(&event);
    }
}
