//! What the browser's program starts from: the numbers that the server drew a page with. They travel
//! inside the page as JSON, so that what takes over shows the same and asks for nothing twice.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use serde::Serialize;
use strata_report::{Session, Snapshot, TrafficState};

use crate::cards::FirstTraffic;
use crate::live::Live;
use crate::ui::{FirstFailure, FormFailure};
use crate::visitor::Visitor;

/// The id of the element that holds it.
pub(crate) const ID: &str = "first-paint";

/// What a page was drawn with. Each field is read by itself: one that is missing, or that another
/// build writes in another way, leaves the others as they are.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "ssr", derive(Serialize))]
pub(crate) struct FirstPaint {
    /// The numbers.
    pub(crate) snapshot: Option<Snapshot>,
    /// The visitor.
    pub(crate) session: Option<Session>,
    /// The traffic that the service sends itself, where it does.
    pub(crate) traffic: Option<TrafficState>,
    /// Why the form that was sent without JavaScript just before did nothing.
    pub(crate) failure: Option<FormFailure>,
}

impl FirstPaint {
    /// Makes it what every live part finds in its context.
    pub(crate) fn provide(self) -> Live {
        let live = Live::provide(self.snapshot.unwrap_or_default());
        Visitor::provide(self.session, live);
        FirstTraffic::provide(self.traffic);
        provide_context(FirstFailure(self.failure));
        live
    }
}

#[cfg(feature = "ssr")]
impl FirstPaint {
    /// Reads it from memory; never waits.
    pub(crate) fn of_request() -> Self {
        use leptos::server_fn::error::ServerFnUrlError;

        use crate::api::{ApiError, context};

        let Ok(console) = context::console() else { return Self::default() };
        let mut query = context::query();
        // leptos_axum sends the browser back to the page with these two.
        let failure = query.remove("__path").zip(query.remove("__err")).map(|(path, error)| {
            FormFailure { path, error: ServerFnUrlError::<ApiError>::decode_err(&error) }
        });
        let actor = context::actor().ok();
        let may_look = actor.as_ref().is_some_and(|actor| actor.rights.look);
        Self {
            // Who may not see a page finds no numbers behind it either.
            snapshot: Some(if may_look { console.snapshot() } else { Snapshot::default() }),
            session: actor.map(|actor| console.session(&actor)),
            traffic: console.traffic(),
            failure,
        }
    }

    /// As JSON that may stand inside of a script element: no text in it can end the element.
    pub(crate) fn json(&self) -> String {
        // Outside of texts JSON has no such sign.
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }
}

#[cfg(feature = "csr")]
impl FirstPaint {
    /// Reads it off the document.
    pub(crate) fn of_document() -> Self {
        use leptos::wasm_bindgen::JsValue;
        use serde::de::DeserializeOwned;
        use web_sys::js_sys::{JSON, Reflect};

        fn field<T: DeserializeOwned>(all: &JsValue, name: &str) -> Option<T> {
            let field = Reflect::get(all, &JsValue::from_str(name)).ok()?;
            let text = JSON::stringify(&field).ok()?.as_string()?;
            serde_json::from_str(&text).ok()
        }

        let text = document().get_element_by_id(ID).and_then(|place| place.text_content());
        let all = JSON::parse(&text.unwrap_or_default()).unwrap_or_default();
        Self {
            snapshot: field(&all, "snapshot"),
            session: field(&all, "session"),
            traffic: field(&all, "traffic"),
            failure: field(&all, "failure"),
        }
    }

    /// What is mounted from now on belongs to a later page, about which it says nothing.
    pub(crate) fn forget() {
        FirstTraffic::grow_old();
        provide_context(FirstFailure(None));
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_element_that_holds_it() {
        let actor = "</script><script>alert(1)</script><!--".to_owned();
        let role = strata_report::Role::Viewer;
        let session =
            Some(Session { actor: actor.clone(), role, refusal: None, can_log_in: false });
        let json = FirstPaint { session, ..FirstPaint::default() }.json();
        assert!(!json.contains('<'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["session"]["actor"], actor);
    }
}
