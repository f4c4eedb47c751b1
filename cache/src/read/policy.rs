//! The settings of a cache, and the visibility of its values.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use strata_report::{Settings, ShownValues};

use crate::clock::millis;
use crate::codec::Form;
use crate::recorder::{Recorder, Recording};

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) time_to_live: Duration,
    pub(crate) time_to_idle: Option<Duration>,
    pub(crate) l2_time_to_live: Option<Duration>,
    pub(crate) negative_time_to_live: Duration,
    pub(crate) jitter: f64,
    pub(crate) load_timeout: Duration,
    pub(crate) lease_wait: Duration,
    pub(crate) max_loads: usize,
    pub(crate) schema: u16,
    pub(crate) form: Form,
    pub(crate) grace: Duration,
    pub(crate) retry_after: Duration,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) refresh_ahead: f64,
    pub(crate) recording: Recording,
    pub(crate) visibility: ValueVisibility,
}

impl Policy {
    pub(crate) fn is_kept_in_l2(&self) -> bool {
        self.l2_time_to_live.is_some_and(|time_to_live| millis(time_to_live) > 0)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            l1_time_to_live_ms: Some(millis(self.time_to_live)),
            l1_time_to_idle_ms: self.time_to_idle.map(millis),
            l2_time_to_live_ms: self.l2_time_to_live.map(millis),
            negative_time_to_live_ms: millis(self.negative_time_to_live),
            jitter: self.jitter,
            load_timeout_ms: millis(self.load_timeout),
            soft_timeout_ms: self.soft_timeout.map(millis),
            grace_ms: millis(self.grace),
            refresh_ahead: self.refresh_ahead,
            values: self.visibility.shown_values(),
        }
    }
}

/// Removes the parts of a value that may not be shown.
pub(crate) type Redact = Arc<dyn Fn(&mut Json) + Send + Sync>;

/// How much of a value may be shown.
#[derive(Clone, Default)]
pub(crate) enum ValueVisibility {
    /// The whole value.
    #[default]
    Whole,
    /// The value after this function has changed it.
    Redacted(Redact),
    /// Nothing.
    Opaque,
}

impl ValueVisibility {
    fn shown_values(&self) -> ShownValues {
        match self {
            Self::Whole => ShownValues::Whole,
            Self::Redacted(_) => ShownValues::Redacted,
            Self::Opaque => ShownValues::Hidden,
        }
    }

    /// A value in the form that may be shown, from JSON to JSON. `None` if it is hidden, not JSON,
    /// or makes the redaction panic.
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

impl fmt::Debug for ValueVisibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "Whole",
            Self::Redacted(_) => "Redacted",
            Self::Opaque => "Opaque",
        })
    }
}
