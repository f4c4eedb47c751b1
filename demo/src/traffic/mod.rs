//! Made-up requests at a steady rate; popular keys come more often than rare ones.
//! [`Traffic`] starts, changes and counts them.

mod requests;
mod run;
mod zipf;

pub use run::{STEADY, Traffic, TrafficCounts, TrafficError};
pub use zipf::Zipf;
