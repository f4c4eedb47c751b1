//! Lessons and experiments on caching. Each runs on a real stack of its own, bounded in time and
//! memory.
//!
//! A `Lab` starts runs. A run plays its script once for each contender that it compares, each on a
//! `Stage`: nodes, a cache, a table and a namespace in Redis that nobody else has.

#![warn(missing_docs)]

mod acts;
mod asked;
mod channel;
mod comparison;
mod error;
mod experiment;
mod fault;
mod heard;
mod hold;
mod ledger;
mod lessons;
mod measured;
mod measuring;
mod named;
mod pace;
mod page;
mod perform;
mod plain_redis;
mod reads;
mod requests;
mod resp;
mod result;
mod run;
mod seat;
mod seen;
mod settings;
mod source;
mod stage;
mod start;
pub mod strategies;
mod tally;
mod trace;
mod waits;
mod wave;
mod weight;
mod wire;

pub use channel::{Channel, Ear, Told};
pub use comparison::{Comparison, Rival, Used};
pub use error::{ComparisonError, LabError, PlayError};
pub use experiment::{Contender, Experiment, Order, Play, Playing};
pub use fault::Fault;
pub use hold::{Call, HeldAct};
pub use lessons::{Lesson, Question, Variant};
pub use measured::{Measured, MeasuredRow, MeasuredTable, Speed};
pub use pace::Pace;
pub(crate) use page::items_on;
pub use plain_redis::PlainRedis;
pub use result::ResultRow;
pub use run::{Performance, Phase, Run, RunState, Waiting};
pub use seat::OnNode;
pub use seen::Seen;
pub use settings::{Settings, SettingsError};
pub use source::{Source, SourceError};
pub use stage::Stage;
pub use start::Lab;
pub use strategies::StrategyKind;
pub use trace::{Level, LineKind, Step, TraceLine};
