//! The cross-section: L1 over L2 over the database, and how reads sink until one answers.

mod layer;
mod layers;
mod section;
mod sink;
mod sinking;

pub(crate) use section::CrossSection;
