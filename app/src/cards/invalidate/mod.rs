//! Where an invalidation begins: of one key at once, of a pattern with a plan.

mod card;
mod key;
mod pattern;

pub(crate) use card::Invalidate;
