//! The counters behind a report: cheap enough to leave on, never blocking, never failing.
//!
//! | file | what |
//! |---|---|
//! | `cache_recorder`, `reporting` | all that one cache counts, and its report |
//! | `settings` | the recorder's settings and inputs |
//! | `counters` | single counters and histograms |
//! | `groups`, `template` | counts by key group, and which group a key is in |
//! | `label` | facts about a key, kept in its entry so that a hit pays nothing |
//! | `events` | the newest events of keys |
//! | `sampling` | which reads are sampled |
//! | `hot_keys` | the keys that are read or missed most |
//! | `what_if` | the hit ratio with other capacities |

mod cache_recorder;
mod counters;
mod events;
mod groups;
mod hot_keys;
mod label;
mod reporting;
mod sampling;
mod settings;
mod template;
mod what_if;

pub(crate) use cache_recorder::Recorder;
pub(crate) use counters::{Counter, HistogramRecorder};
#[cfg(feature = "fleet")]
pub(crate) use events::{EventCursor, NewEvents, is_about};
pub(crate) use groups::{GroupOf, Grouping};
pub(crate) use label::{Label, hash_of};
pub(crate) use sampling::{SAMPLED_ONE_IN, is_sampled};
pub use settings::Recording;
pub(crate) use settings::{L1Size, LoadEnded, RecorderSettings, Removal};
pub use strata_report::CacheEvents;
pub(crate) use what_if::Lifetimes;
