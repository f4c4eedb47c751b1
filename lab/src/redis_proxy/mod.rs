//! A proxy between one node and Redis. It can be cut, and it reads the node's commands for the trace.
//! `RedisProxy` is the proxy, `TapTarget` says whose commands it reads.

mod address;
mod command_text;
mod proxy;
mod resp;
mod tap;

pub(crate) use command_text::KeyNames;
pub(crate) use proxy::{LinkState, RedisProxy};
pub(crate) use tap::TapTarget;
