//! The cross-section: L1 over L2 over the database, and how reads fall_through until one answers.

mod fall_through;
mod layer;
mod layers;
mod reads_by_layer;
mod section;

pub(crate) use section::CrossSection;
