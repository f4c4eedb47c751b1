//! What invalidations are about, what they would do, and what became of them.

mod counts;
mod job;
mod plan;

pub use counts::{Effect, Origin, Scope, ScopeCounts};
pub use job::{Delivery, Job, JobError, JobKind, JobState, RefreshState, Refreshed};
pub use plan::{NodeCount, Plan, Reload};
