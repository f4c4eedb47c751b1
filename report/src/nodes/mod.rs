//! Nodes side by side, what they share, and what a console asks of one.

mod answer;
mod comparison;
#[cfg(test)]
mod golden;
mod redis;
mod request;

pub use answer::{KeyMatch, L1Keys, NodeAnswer, NodeError};
pub use comparison::{
    Agreement, Disagreement, NodeCache, NodeRow, NodeSays, NodesReport, SaidValue,
};
pub use redis::{NodeL2, RedisReport, RedisServer, RedisShare, RedisState, SlowCommand};
pub use request::{
    CacheKey, CacheKeys, CacheName, CacheValue, DeadLetterMove, DeadLetterRequest, L1Query,
    NodeRequest,
};
