//! What strategies work on: the database, Redis as any client sees it, and a lossy channel.
//! Each can be slowed down, cut off or held up by the sandbox.

mod call_gates;
mod channel;
mod plain_redis;
mod source;

pub use call_gates::Call;
pub(crate) use call_gates::HeldCall;
pub(crate) use channel::ChannelHub;
pub use channel::{Channel, Message, Subscription};
pub use plain_redis::PlainRedis;
pub(crate) use source::items_on;
pub use source::{Source, SourceError};
