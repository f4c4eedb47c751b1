//! The visitor of a page: their session, their rights, and the theme that they chose.

mod session;
#[cfg(feature = "ssr")]
pub(crate) mod theme;

pub(crate) use session::Visitor;
