use std::collections::HashMap;
#[cfg(feature = "lab")]
use std::sync::Arc;

use axum::extract::Query;
use axum::http::Uri;
use leptos::server_fn::error::ServerFnUrlError;
use strata_console::{Actor, Console};
#[cfg(feature = "lab")]
use strata_lab::Lab;
use strata_report::Alert;

use crate::addresses::below_base;
use crate::api::ApiError;

// Longer addresses come from nobody who reads the page.
const MAX_ADDRESS_BYTES: usize = 8_192;

/// A request for a page: its address, and the visitor who asks.
pub(crate) struct PageRequest {
    pub(super) console: Console,
    pub(super) actor: Actor,
    path: String,
    query: HashMap<String, String>,
    #[cfg(feature = "lab")]
    pub(super) lab: Option<Arc<Lab>>,
    /// The lessons that this browser has run.
    #[cfg(feature = "lab")]
    pub(super) lessons_done: Vec<&'static str>,
}

impl PageRequest {
    /// Reads an address of this dashboard, below its base or with it: a path, and perhaps a query.
    pub(crate) fn new(console: Console, actor: Actor, address: &str) -> Result<Self, ApiError> {
        let unreadable = || ApiError::Invalid("read the address".to_owned());
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(unreadable());
        }
        let uri: Uri = address.parse().map_err(|_| unreadable())?;
        let Query(query) = Query::try_from_uri(&uri).map_err(|_| unreadable())?;
        let path = below_base(uri.path()).to_owned();
        Ok(Self {
            console,
            actor,
            path,
            query,
            #[cfg(feature = "lab")]
            lab: None,
            #[cfg(feature = "lab")]
            lessons_done: Vec::new(),
        })
    }

    /// Adds the lab, and which lessons this browser has run.
    #[cfg(feature = "lab")]
    pub(crate) fn in_lab(self, lab: Option<Arc<Lab>>, lessons_done: Vec<&'static str>) -> Self {
        Self { lab, lessons_done, ..self }
    }

    /// Whether the program has a lab.
    pub(crate) fn has_lab(&self) -> bool {
        #[cfg(feature = "lab")]
        return self.lab.is_some();
        #[cfg(not(feature = "lab"))]
        false
    }

    /// The path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The last part of the path, which names a cache or a lesson.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default()
    }

    /// What somebody should look at.
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        self.console.alerts()
    }

    /// Whether the visitor may see numbers, keys and the audit trail.
    pub(crate) fn may_look(&self) -> bool {
        self.actor.rights.look
    }

    /// A field of the query; `None` where it is absent or empty.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A key or a pattern of the query, exactly as the address has it: blanks belong to it. `None`
    /// where it is absent or empty.
    pub(super) fn exact(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// All fields of the query, in no order.
    #[cfg(feature = "lab")]
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Why the form that was sent without JavaScript just before did nothing, as a sentence.
    pub(super) fn failure(&self) -> Option<String> {
        let error = ServerFnUrlError::<ApiError>::decode_err(self.field("__err")?);
        Some(error.sentence())
    }

    /// Why the visitor may not act; `None` where they may.
    pub(super) fn refusal(&self) -> Option<String> {
        self.console.session(&self.actor).refusal
    }
}
