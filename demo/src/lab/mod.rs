//! The lab: runs lessons on a real stack of their own, bounded in time and memory.
//!
//! A `Lab` starts runs. A run plays its lesson's script once for each strategy that it compares,
//! each on a `Stage`: nodes, caches, a table and a namespace in Redis that nobody else has.

mod acts;
mod error;
mod ledger;
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

pub use error::{LabError, PlayError};
pub use result::ResultRow;
pub use run::{Performance, Phase, Run, RunState};
pub use seen::Seen;
pub use settings::{Settings, SettingsError};
pub use source::{Call, Held, Source, SourceError};
pub use stage::Stage;
pub use start::Lab;
pub use trace::{Level, Step, TraceLine};
