//! What one strategy is tried on: nodes, a cache, a table and a namespace in Redis of its own.
//! [`Sandbox`] is what scripts read, write and break; everything in it is counted and torn down.

mod contender;
mod counters;
mod environment;
mod error;
mod fault;
mod held;
mod lifecycle;
mod node;
mod reads;
mod requests;
mod step_gate;
mod waits;
mod writes;

pub use contender::{Contender, ContenderRun, ResultRow};
pub(crate) use environment::Environment;
pub use environment::OnNode;
pub use error::SandboxError;
pub use fault::Fault;
pub use held::HeldOperation;
pub use lifecycle::Sandbox;
pub(crate) use node::L2_TIMEOUT;
pub use reads::ReadResult;
pub(crate) use step_gate::StepGate;
pub use step_gate::StepMode;
