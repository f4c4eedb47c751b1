//! The HTTP interface as a document: what is asked, what is answered, and every refusal.

mod document;
mod problems;

pub(crate) use document::document;
pub(crate) use problems::*;
