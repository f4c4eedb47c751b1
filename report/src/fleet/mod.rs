//! What nodes and consoles of a fleet say to each other through Redis.
//!
//! Every type reads what a later release adds to it, and what an earlier one leaves out. The files
//! in `golden/` are this release's forms; later releases must go on reading them.

mod ask;
mod card;
#[cfg(test)]
mod golden;
mod presence;
mod state;
mod want;

pub use ask::{Ask, AskCounts, AskKind, Reply, ReplyState};
pub use card::{FleetPolicy, FleetReport, NodeCard};
pub use presence::{FleetSums, NodePresence};
pub use state::PresenceState;
pub use want::{EventRequest, NodeEvents, Want};

/// The protocol that this release speaks. A node or console reads what speaks the same or an
/// earlier one.
pub const FLEET_PROTOCOL: u32 = 1;
