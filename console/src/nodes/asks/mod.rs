//! How nodes are asked: each request as a value, on whose behalf, one by one or all together, and who
//! was silent.

mod asked_by;
mod fan_out;
mod gathering;
mod requests;

pub(in crate::nodes) use asked_by::asked_by;
pub(crate) use asked_by::on_behalf_of;
pub use fan_out::FanOut;
pub(crate) use gathering::{Gathered, gather};
pub(crate) use requests::l1_query;
