//! The HTTP interface as a document: what is asked, what is answered, and every refusal.

mod document;
mod parameters;
mod problems;

pub(crate) use document::document;
pub use parameters::QueryParameters;
pub(crate) use parameters::{refuse_others, refuse_unknown_parameters};
pub(crate) use problems::*;
