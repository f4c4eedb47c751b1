//! Invalidations that Redis did not accept: they wait in a queue, and are sent again when it answers.

mod queue;
mod recovery;

pub(super) use queue::InvalidationQueue;
pub(crate) use queue::PendingInvalidation;
