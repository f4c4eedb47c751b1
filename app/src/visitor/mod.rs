//! Who looks at the page, what they may do, and which colours they chose.

mod session;
pub(crate) mod theme;

pub(crate) use session::Visitor;
