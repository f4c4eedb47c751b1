//! Nodes of other processes: which are known, what they last reported, and how often they are read.

mod fleet;
mod fleet_tick;
mod known;
mod pace;
mod remote;

pub use fleet::RemoteNodes;
pub(crate) use fleet_tick::FleetTick;
pub use pace::Pace;
