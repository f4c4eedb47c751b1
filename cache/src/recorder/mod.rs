//! The counters behind a report: cheap, never blocking, never failing.

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
pub use events::CacheEvents;
pub(crate) use groups::{GroupOf, Grouping};
pub(crate) use label::{Label, hash_of};
pub(crate) use sampling::{SAMPLED_ONE_IN, is_sampled};
pub use settings::Recording;
pub(crate) use settings::{L1Size, LoadEnded, RecorderSettings, Removal};
pub(crate) use what_if::Lifetimes;
