//! `strata demo` and `strata serve` from start to stop, and the signals that end them.

mod demo;
mod processes;
mod run;
mod serve;
mod served_console;
mod services;
mod signals;
mod source;
mod traffic;

pub use demo::Demo;
pub use processes::run_demo_node;
pub use run::{announce, run_demo};
pub use serve::{Serve, run_serve};
