//! Random sequences of all operations on a cache, compared with a model that is simple enough to
//! trust.
//!
//! | file | what |
//! |---|---|
//! | `step` | the possible steps, and random sequences of them |
//! | `rows` | the source: versions that only grow, and a record of loads |
//! | `model` | the required answers of a cache with only L1, to the nanosecond |
//! | `one_node` | the cache against the model, in paused time |
//! | `two_nodes` | two nodes on a real Redis: no read is older than the last acknowledged change |

mod model;
mod one_node;
mod rows;
mod step;
#[cfg(feature = "redis")]
mod two_nodes;
