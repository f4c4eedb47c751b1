use leptos::prelude::SharedValue;
use serde::{Deserialize, Serialize};
use strata_report::{Session, Snapshot, TrafficState};

use crate::ui::FormFailure;
#[cfg(feature = "ssr")]
use crate::visitor::theme;
use crate::visitor::theme::Theme;

/// Everything that the first HTML shows, but for the numbers. It travels inside the page, so that
/// the browser starts from the same and asks for nothing twice.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FirstPaint {
    /// The visitor.
    pub(crate) session: Option<Session>,
    /// The traffic that the service sends itself, where it does.
    pub(crate) traffic: Option<TrafficState>,
    /// The alerts, as HTML.
    pub(crate) alerts: String,
    /// The colours that were chosen.
    pub(crate) theme: Theme,
    /// Why the form that was sent without JavaScript just before did nothing.
    pub(crate) failure: Option<FormFailure>,
}

/// Reads it from memory; never waits.
#[cfg(feature = "ssr")]
pub(crate) fn first_paint() -> FirstPaint {
    use leptos::prelude::RenderHtml;
    use leptos::server_fn::error::ServerFnUrlError;

    use crate::api::{ApiError, context};

    let theme = chosen_theme();
    let Ok(console) = context::console() else { return FirstPaint { theme, ..Default::default() } };
    let mut query = context::query();
    // leptos_axum sends the browser back to the page with these two.
    let failure = query.remove("__path").zip(query.remove("__err")).map(|(path, error)| {
        FormFailure { path, error: ServerFnUrlError::<ApiError>::decode_err(&error) }
    });
    FirstPaint {
        alerts: crate::screens::alert_list(&console.alerts()).to_html(),
        session: context::actor().ok().map(|actor| console.session(&actor)),
        traffic: console.traffic(),
        theme,
        failure,
    }
}

/// Makes the numbers, which travel inside the page as well. A browser reads them only when they are
/// made, in a task of its own.
pub(crate) type MakeSnapshot = Box<dyn FnOnce() -> Snapshot + Send>;

/// Reads them from memory; never waits.
#[cfg(feature = "ssr")]
pub(crate) fn first_snapshot() -> MakeSnapshot {
    let snapshot =
        crate::api::context::console().map(|console| console.snapshot()).unwrap_or_default();
    SharedValue::new_str(|| serde_json::to_string(&snapshot).unwrap_or_default());
    Box::new(|| snapshot)
}

/// The theme that this browser chose before.
#[cfg(feature = "ssr")]
pub(crate) fn chosen_theme() -> Theme {
    crate::api::context::cookie(theme::COOKIE).map_or(Theme::System, |name| Theme::of(&name))
}

/// What a browser starts from when the page carried nothing.
#[cfg(not(feature = "ssr"))]
pub(crate) fn first_paint() -> FirstPaint {
    FirstPaint::default()
}

/// As [`first_paint`].
#[cfg(not(feature = "ssr"))]
pub(crate) fn first_snapshot() -> MakeSnapshot {
    let text = SharedValue::new_str(String::new).into_inner();
    Box::new(move || serde_json::from_str(&text).unwrap_or_default())
}
