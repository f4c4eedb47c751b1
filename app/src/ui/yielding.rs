use wasm_bindgen_futures::js_sys::Date;

/// A turn of ours on the browser's one thread.
pub(crate) struct TimeSlice {
    /// Milliseconds.
    began_at: f64,
}

/// A picture is due every 16 ms, and the browser needs its part of that.
const LONG_MS: f64 = 8.0;

impl TimeSlice {
    pub(crate) fn begin() -> Self {
        Self { began_at: Date::now() }
    }

    /// Gives the browser its turn where ours was long, and begins another.
    pub(crate) async fn yield_if_long(&mut self) {
        if Date::now() - self.began_at > LONG_MS {
            yield_to_browser().await;
            *self = Self::begin();
        }
    }
}

/// Lets the browser draw and answer before it goes on. Where nobody looks there is nothing to draw,
/// and timers are slow.
pub(crate) async fn yield_to_browser() {
    if !leptos::prelude::document().hidden() {
        use wasm_bindgen_futures::JsFuture;
        use wasm_bindgen_futures::js_sys::Promise;
        let turn = Promise::new(&mut |resolve, _| {
            // A browser without timers goes on at once.
            if leptos::prelude::window().set_timeout_with_callback(&resolve).is_err() {
                let _ = resolve.call0(&resolve);
            }
        });
        let _ = JsFuture::from(turn).await;
    }
}
