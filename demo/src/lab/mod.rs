//! The lab: runs experiments on a real stack of their own, bounded in time and memory.
//!
//! A `Lab` starts runs. A run plays its script once for each contender that it compares, each on a
//! `Stage`: nodes, a cache, a table and a namespace in Redis that nobody else has.

mod acts;
mod comparison;
mod error;
mod experiment;
mod fault;
mod ledger;
mod measured;
mod measuring;
mod named;
mod pace;
mod perform;
mod requests;
mod result;
mod run;
mod seen;
mod settings;
mod source;
mod stage;
mod start;
mod tally;
mod trace;
mod waits;
mod wire;

pub use comparison::{Comparison, Rival, Used};
pub use error::{ComparisonError, LabError, PlayError};
pub use experiment::{Contender, Experiment, Order, Play, Playing};
pub use fault::Fault;
pub use measured::{Measured, MeasuredRow, MeasuredTable, Speed};
pub use pace::Pace;
pub use result::ResultRow;
pub use run::{Performance, Phase, Run, RunState, Waiting};
pub use seen::Seen;
pub use settings::{Settings, SettingsError};
pub use source::{Call, Held, Source, SourceError};
pub use stage::{OnNode, Stage};
pub use start::Lab;
pub use trace::{Level, Step, TraceLine};
