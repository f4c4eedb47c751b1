//! Who did what, and what was refused: kept in memory and in Redis. Public face: [`Audit`], and
//! [`JobOwner`] for what takes longer than a call.

mod action;
mod journal;
mod refusals;
#[cfg(test)]
mod tests;
mod trail;

pub(crate) use action::{AuditedAction, JobOwner, count_of_entries};
pub(crate) use trail::Audit;
