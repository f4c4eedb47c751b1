//! What is invalidated: one key, a pattern, a tag.

pub(super) mod all_pages;
pub(super) mod forget_found;
pub(super) mod one_page;
pub(super) mod pattern;
pub(super) mod pattern_in_redis;
pub(super) mod tags;
