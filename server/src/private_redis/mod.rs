//! A `redis-server` of the program's own, started and ended with it, for a demo that needs no other.

mod place;
mod server;

pub use server::{PrivateRedis, PrivateRedisError};
