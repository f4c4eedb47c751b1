//! The lessons, one file each: what a reader is told and asked, and the script that is played.

mod batch;
mod cache_aside;
mod events;
mod eviction;
mod invalidation;
mod lesson;
mod markdown;
mod negative;
mod no_cache;
mod pattern;
mod read_through;
mod redis_away;
mod refresh_ahead;
mod repository;
mod stampede;
mod tags;
mod time_to_live;
mod two_levels;
mod write_behind;
mod write_through;

pub use lesson::{Lesson, Question, Variant};
