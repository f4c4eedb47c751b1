//! What the program answers beside the dashboard, for those whom it admits: the demo's paths, and
//! the lab's.

mod demo;
mod lab;

pub(crate) use demo::{Sites, demo_routes};
pub(crate) use lab::lab_routes;
