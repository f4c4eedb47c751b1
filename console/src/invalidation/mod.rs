//! Invalidations: planned, confirmed, run, watched, verified. Public face: the methods of
//! [`Console`](crate::Console) in `operations`, `plans` and `refresh`, and [`Protected`]; inside the
//! crate [`Jobs`].

mod jobs;
mod operations;
mod plans;
mod queued;
mod refresh;
mod target;
mod task;
mod verification;

pub(crate) use jobs::{BROKE_OFF, JobHandle, Jobs};
pub(crate) use plans::Plans;
pub(crate) use queued::SilentNodes;
pub use target::{Protected, ProtectedError};
pub(crate) use task::action_name;
