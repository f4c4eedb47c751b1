//! Counted durations, ages and sizes, and their quantiles.

mod durations;
mod extremes;
mod powers_of_two;

pub use durations::{BOUNDS_NS, Histogram, SparseHistogram};
pub use extremes::Extremes;
pub use powers_of_two::LogHistogram;
