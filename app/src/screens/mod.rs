//! The pages that the server draws: a file or folder a page, a file a card. A card is a pure
//! function of a report. None of this is in the browser's program.

mod activity;
pub(crate) mod alerts;
mod cache;
mod chart;
mod dead_letters;
mod draw;
mod keys;
#[cfg(feature = "lab")]
mod lab;
mod nodes;
mod page_frame;
mod redis;
mod request;
mod words;

pub(crate) use draw::{draw, failed};
pub(crate) use request::PageRequest;
