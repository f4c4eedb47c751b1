//! Comparisons: any strategies and settings side by side, on the same requests.
//! [`Comparison`] is read from an address and written to one.

mod compared_strategy;
mod comparison;

pub use compared_strategy::{ComparedStrategy, ComparisonError};
pub use comparison::{Comparison, ReplayedPart};
