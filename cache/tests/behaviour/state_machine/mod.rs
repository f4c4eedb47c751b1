//! Random sequences of everything that can be done to a cache, against a model that is simple
//! enough to be believed.
//!
//! | file | what |
//! |---|---|
//! | `step` | what may happen, and how a sequence of it is made up |
//! | `rows` | the source: versions that only grow, and who asked for what |
//! | `model` | what a cache with L1 alone must answer, to the nanosecond |
//! | `one_node` | the cache against the model, in paused time |
//! | `two_nodes` | two nodes on a real Redis: no read is older than what was acknowledged |

mod model;
mod one_node;
mod rows;
mod step;
#[cfg(feature = "redis")]
mod two_nodes;
