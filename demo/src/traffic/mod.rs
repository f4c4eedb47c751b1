//! Requests that somebody might make: popular keys more often than rare ones, at a steady rate.

mod mix;
mod run;
mod zipf;

pub use run::{STEADY, Traffic, TrafficCounts, TrafficError};
pub use zipf::Zipf;
