// ARCHITECTURE.md says what each file does.
#![doc = include_str!("../README.md")]
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
mod codec;
mod core;
mod deadlock;
mod error;
mod error_chain;
mod eviction;
mod face;
mod fence;
mod fill;
mod flight;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod held;
mod interrupted;
mod invalidate;
mod kept_leases;
mod key;
mod l1;
mod l2;
mod leases;
mod load_limit;
mod loaded;
mod log_limit;
mod look;
mod named;
mod nesting;
mod node;
mod observe;
mod overlap;
mod pattern;
mod place;
mod read;
mod reclaim;
mod recorder;
mod scout;
mod script;
mod seat;
mod shared;
mod showing;
mod slices;
mod started;
pub mod structures;
mod sweep;
mod tags;
mod tasks;
mod ticket;
mod turn;
mod user_code;
mod waiting;
mod waiting_patterns;
mod walk;
mod write_behind;

pub use builder::CacheBuilder;
pub use cache::{Cache, Read};
#[cfg(feature = "holds")]
#[doc(hidden)]
pub use clock::test_clock;
pub use codec::Codec;
pub use error::{BuildError, CacheError, LoadError, NotReady, TryWriteError};
pub use error_chain::ErrorChain;
pub use key::{Key, Value};
#[cfg(feature = "holds")]
#[doc(hidden)]
pub use l2::holds;
pub use l2::{Journal, L2Census, L2Count, L2Head, L2Match};
pub use loaded::Loaded;
pub use log_limit::LogLimit;
pub use node::{Node, NodeBuilder, Progress};
pub use observe::{MokaFace, Observed, Observer};
pub use pattern::{Pattern, PatternError};
pub use recorder::{CacheEvents, Recording};
pub use script::script_name;
pub use strata_report as report;
pub use structures::{StructureError, Structures};
pub use tasks::Tasks;
pub use walk::{L1List, L1Survey};
pub use write_behind::{
    DeadLetter, DeadLetterFilter, DeadLetterList, DeadLetterStep, DeadLetters, Drained,
    PermanentFailure, Row, WriteBehind, WriteBehindBuilder, WriteError,
};
