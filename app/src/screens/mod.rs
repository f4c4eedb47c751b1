//! What the server draws for the pages of `drawn`: one file a page, or a folder with a file for
//! each card. Each card is a pure function of a report. None of this is in the browser's program.

mod activity;
mod agreement;
pub(crate) mod alerts;
mod asked;
mod cache;
mod chart;
mod dead_letters;
mod draw;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod node_tasks;
mod nodes;
mod redis;
mod sheet;
mod trail;
mod words;

pub(crate) use asked::Asked;
pub(crate) use draw::{draw, failed};
