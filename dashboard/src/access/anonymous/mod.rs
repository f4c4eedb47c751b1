//! Anonymous requests take turns, so that drawing pages for many of them leaves the processors to reads
//! of the service.

mod request_kind;
mod turns;

pub use turns::AnonymousTurns;
pub(crate) use turns::take_turns;
