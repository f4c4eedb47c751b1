//! Invalidation: of one key at once, of a pattern by plan, confirmation and job.

mod card;
mod key;
mod pattern;
mod plan;
mod result;

pub(crate) use card::{FirstJob, Invalidate};
