//! How much of a cache's values people see: on pages, by the API, in exports. What the program
//! reads from the cache is never touched.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::recorder::Recorder;

/// Takes out of a value what nobody is to see.
pub(crate) type Redact = Arc<dyn Fn(&mut Json) + Send + Sync>;

/// How much of a value people see.
#[derive(Clone, Default)]
pub(crate) enum Showing {
    /// All of it.
    #[default]
    Whole,
    /// What is left once this has gone over it.
    Redacted(Redact),
    /// Nothing.
    Opaque,
}

impl Showing {
    /// A value as people see it, from JSON to JSON; `None` where they do not. What cannot be gone
    /// over, or makes the redaction panic, is hidden.
    pub(crate) fn shown(&self, recorder: &Recorder, value: String) -> Option<String> {
        match self {
            Self::Whole => Some(value),
            Self::Opaque => None,
            Self::Redacted(redact) => {
                let mut json: Json = serde_json::from_str(&value).ok()?;
                recorder.contain(|| {
                    redact(&mut json);
                    json.to_string()
                })
            }
        }
    }
}

impl fmt::Debug for Showing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "Whole",
            Self::Redacted(_) => "Redacted",
            Self::Opaque => "Opaque",
        })
    }
}
