//! Lessons on writes, and on what makes a cached copy old.

pub(super) mod events;
pub(super) mod invalidation;
pub(super) mod pattern;
pub(super) mod tags;
pub(super) mod time_to_live;
pub(super) mod write_behind;
pub(super) mod write_through;
