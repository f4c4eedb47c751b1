//! The live numbers: what screens read, and the stream that brings them.

mod feed;
mod ring;
mod state;
#[cfg(feature = "csr")]
mod stream;

pub(crate) use feed::Live;
pub(crate) use state::LiveState;
