//! The page of what happens: the newest events, and the audit trail of what people did.

mod audit;
mod page;

pub(crate) use page::page;
pub(super) use page::{node_name, what};
