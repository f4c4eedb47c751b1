//! The lessons, one file each, in a folder by what they are about: what a reader is told and asked,
//! and the script that is played. `tour.rs` has their order.

mod changing;
mod lesson;
mod levels;
mod markdown;
mod reading;
mod tour;

pub use lesson::{Lesson, Question, Variant};
