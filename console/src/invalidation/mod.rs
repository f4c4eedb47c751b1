//! Invalidations: planned, confirmed, run, watched, verified. Public face: the methods of
//! [`Console`](crate::Console) in `operations`, `plans` and `refresh`, and [`Protected`]; inside the
//! crate [`Jobs`].

mod jobs;
mod operations;
mod plans;
mod protected;
mod queued;
mod refresh;
mod task;
mod verification;

pub(crate) use jobs::{BROKE_OFF, JobHandle, Jobs};
pub(crate) use plans::Plans;
pub use protected::{Protected, ProtectedError};
pub(crate) use queued::SilentNodes;
pub(crate) use task::action_name;
