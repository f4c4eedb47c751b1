// ARCHITECTURE.md says what each file does.
//
// A folder or file may import only those on the lines above its own. A test checks this.
//
// - error, key, pattern, codec, clock, user_code
// - target
// - log, recorder
// - l1, connection
// - bus
// - l2, fleet
// - node
// - read
// - change
// - cache
// - structures, write_behind, observe
// - inspect
// - doctor
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

// Without the crate `redis`, paths that begin with `redis` lead to its stand-in.
#[cfg(not(feature = "redis"))]
extern crate self as redis;
#[cfg(not(feature = "redis"))]
use connection::no_redis::*;

mod bus;
mod cache;
mod change;
mod clock;
mod codec;
mod connection;
#[cfg(feature = "redis")]
pub mod doctor;
mod error;
#[cfg(feature = "fleet")]
mod fleet;
mod inspect;
mod key;
mod l1;
mod l2;
mod log;
mod node;
mod observe;
mod pattern;
mod read;
mod recorder;
pub mod structures;
mod target;
mod user_code;
mod write_behind;

pub use cache::{Cache, CacheBuilder};
#[cfg(feature = "holds")]
#[doc(hidden)]
pub use clock::test_clock;
pub use codec::Codec;
#[cfg(feature = "holds")]
#[doc(hidden)]
pub use connection::holds;
#[cfg(feature = "redis")]
pub use connection::{Credentials, RedisAddress};
pub use error::{BuildError, CacheError, ErrorChain, LoadError, NotReady, TryWriteError};
#[cfg(feature = "fleet")]
pub use fleet::{
    Announcements, AskError, AskTo, Fleet, FleetClient, FleetNode, FleetView, FormError, Replies,
    SilentNode,
};
pub use inspect::{Journal, L2Census, L2Count, script_name};
pub use key::{Key, Value};
pub use l1::{L1List, L1Survey};
pub use l2::{L2Head, L2Match, Progress};
pub use log::LogLimit;
#[cfg(feature = "fleet")]
pub use node::FleetClientBuilder;
pub use node::{
    DeadLetterFilter, DeadLetterList, DeadLetterStep, Node, NodeBuilder, Shutdown, Tasks,
};
pub use observe::{MokaCache, Observed, Observer};
pub use pattern::{Pattern, PatternError};
pub use read::{Loaded, Read};
pub use recorder::{CacheEvents, Recording};
pub use strata_report as report;
pub use structures::{StructureError, Structures};
pub use target::Target;
pub use write_behind::{
    DeadLetter, DeadLetters, Drained, PermanentFailure, Row, WriteBehind, WriteBehindBuilder,
    WriteError,
};

/// Private items that the fuzz targets in `cache/fuzz` need.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    use crate::l2::Envelope;

    /// Whether bytes from L2 are a valid entry of the key.
    pub fn decodes(bytes: &[u8], key: &str, schema: u16) -> bool {
        Envelope::decode(bytes, key, schema).is_ok()
    }
}
