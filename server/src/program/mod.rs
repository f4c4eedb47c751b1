//! `strata` from start to stop: what `demo` and `purge` run, and the signals that end them.

mod demo;
mod purge;
mod run;
mod signals;
mod source;

pub use demo::Demo;
pub use purge::run_purge;
pub use run::{announce, run_demo};
