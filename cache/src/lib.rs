//! A two-level cache: moka in the process (L1) in front of Redis (L2) in front of a source.
//!
//! [`Node`] is one running copy of a service, [`Cache`] a named pair of levels on it.
//!
//! | file | what |
//! |---|---|
//! | `cache`, `builder`, `node` | the public face |
//! | `core` | one cache on one node: what all clones of a `Cache` share |
//! | `shared` | what a node's caches and its background tasks share |
//! | `read`, `seat`, `fill`, `held` | one read, top to bottom |
//! | `invalidate` | one invalidation, and one write |
//! | `write_behind/` | writes that are acknowledged before the source has them |
//! | `fence` | what rejects a fill that an invalidation has overtaken |
//! | `l1`, `l2/` | the levels; they do not know each other |
//! | `bus/` | how nodes hear of invalidations |
//! | `recorder/` | the counters behind a report |
//! | `observe/` | the same recorder around any moka cache |
//! | `face`, `look`, `walk`, `ask` | a cache without its types, for consoles |

#![warn(missing_docs)]

// Paths that begin with `redis` lead to the stand-in where the crate is left out.
#[cfg(not(feature = "redis"))]
extern crate self as redis;
#[cfg(not(feature = "redis"))]
mod redis_off;
#[cfg(not(feature = "redis"))]
use redis_off::*;

mod ask;
mod builder;
mod bus;
mod cache;
mod clock;
mod core;
mod error;
mod face;
mod fence;
mod fill;
mod held;
mod invalidate;
mod key;
mod l1;
mod l2;
mod loaded;
mod look;
mod node;
mod observe;
mod overlap;
mod pattern;
mod read;
mod recorder;
mod seat;
mod shared;
mod walk;
mod write_behind;

pub use builder::CacheBuilder;
pub use cache::{Cache, Read};
pub use error::{BuildError, CacheError, LoadError};
pub use key::{Key, Value};
pub use l2::{Journal, L2Head};
pub use loaded::Loaded;
pub use node::{Node, NodeBuilder, Progress};
pub use observe::{MokaFace, Observed, Observer};
pub use pattern::{Pattern, PatternError};
pub use recorder::{CacheEvents, Recording};
pub use strata_report as report;
pub use walk::{L1List, L1Survey};
pub use write_behind::{Aside, Drained, Row, WriteBehind, WriteBehindBuilder, WriteError};
