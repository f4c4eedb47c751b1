//! What an operator should look at, worked out from the reports by lints: pure functions, one or a
//! few a file, named like the alerts that they give. Public face: [`ExpectedNodes`], [`all`], [`View`],
//! [`program_alerts`].

mod expiry;
mod fleet;
mod l1_size;
mod lints;
mod loads;
mod nodes;
mod redis_errors;
mod redis_memory;
mod tasks;
mod view;
mod writes;

pub(crate) use lints::all;
pub(crate) use tasks::program_alerts;
pub use view::ExpectedNodes;
pub(crate) use view::View;
