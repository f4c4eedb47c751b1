//! The counters behind a report: cheap enough to leave on, never blocking, never failing.
//!
//! | file | what |
//! |---|---|
//! | `cache_recorder`, `reporting` | all that one cache counts, and how it is told |
//! | `bounds` | what the recorder is told |
//! | `counters` | single counters and histograms |
//! | `groups`, `grouping`, `template` | counts by key group, and which group a key is in |
//! | `label` | what is known of a key, kept in its entry so that a hit pays nothing |
//! | `events`, `happenings` | the newest things that happened to keys |
//! | `turn` | which reads are sampled |
//! | `hot_keys`, `sketch` | the keys that are read or missed most |
//! | `what_if`, `miniature` | the hit ratio with other capacities |

mod bounds;
mod cache_recorder;
mod counters;
mod events;
mod grouping;
mod groups;
mod happenings;
mod hot_keys;
mod label;
mod miniature;
mod reporting;
mod sketch;
mod template;
mod turn;
mod what_if;

pub use bounds::Recording;
pub(crate) use bounds::{Bounds, L1Size, LoadEnded, Removal};
pub(crate) use cache_recorder::Recorder;
pub(crate) use counters::{Counter, HistogramRecorder};
pub use events::CacheEvents;
pub(crate) use events::Events;
pub(crate) use grouping::{GroupOf, Grouping};
pub(crate) use label::{Label, hash_of};
pub(crate) use miniature::Lives;
pub(crate) use turn::{SAMPLED_ONE_IN, is_sampled};
