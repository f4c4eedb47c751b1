//! `strata demo` from start to stop, and the signals that end it.

mod demo;
mod run;
mod signals;
mod source;
mod traffic;

pub use demo::Demo;
pub use run::{announce, run_demo};
