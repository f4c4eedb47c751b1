//! Tries on a Redis what nodes need of it, before a service does. Public: [`examine`], [`Diagnosis`],
//! [`Finding`], [`Verdict`].

mod clocks;
mod commands;
mod diagnosis;
mod examination;
mod needs;
mod two_nodes;

pub use diagnosis::{Diagnosis, Finding, Verdict};
pub use examination::{examine, examine_at};
