//! The lessons, one file each: what a reader is told and asked, and the script that is played.

mod cache_aside;
mod events;
mod invalidation;
mod lesson;
mod negative;
mod no_cache;
mod pattern;
mod read_through;
mod stampede;
mod tags;
mod time_to_live;
mod two_levels;
mod write_behind;
mod write_through;

pub use lesson::{Lesson, Question, Variant};
