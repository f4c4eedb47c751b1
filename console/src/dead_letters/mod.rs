//! Writes that the source refused: listed, queued again or dropped. Public face: the methods of
//! [`Console`](crate::Console) in `operations`; inside the crate [`DeadLetterJobs`].

mod jobs;
mod operations;
mod pages;
mod run;

pub(crate) use jobs::DeadLetterJobs;
pub(crate) use operations::{audit_name, in_words};
