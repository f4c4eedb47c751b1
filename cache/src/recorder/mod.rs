//! The counters behind a report: cheap, never blocking, never failing.

mod bounds;
mod cache_recorder;
mod counters;
mod events;
mod groups;
mod hot_keys;
mod label;
mod reporting;
mod sampling;
mod template;
mod what_if;

pub use bounds::Recording;
pub(crate) use bounds::{Bounds, L1Size, LoadEnded, Removal};
pub(crate) use cache_recorder::Recorder;
pub(crate) use counters::{Counter, HistogramRecorder};
pub use events::CacheEvents;
pub(crate) use groups::{GroupOf, Grouping};
pub(crate) use label::{Label, hash_of};
pub(crate) use sampling::{SAMPLED_ONE_IN, is_sampled};
pub(crate) use what_if::Lives;
