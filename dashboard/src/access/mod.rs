//! Decides which requests are admitted: by host name, sender, origin and rights. Anonymous requests
//! take turns.

mod anonymous;
mod by_host;
mod cross_site;
mod guard;
mod hosts;
mod identify;
mod network;
mod open;
mod public_url;

pub use anonymous::AnonymousTurns;
pub(crate) use anonymous::take_turns;
pub use by_host::Access;
pub(crate) use by_host::{HostNonce, HostRules, admit_by_host, identify_by_host};
pub(crate) use cross_site::{csrf, explain_cross_site};
pub(crate) use guard::{Guarded, HARMLESS, admit, guard, guard_functions};
pub use hosts::Hosts;
pub(crate) use hosts::check_host;
pub use identify::Proxies;
pub(crate) use identify::{Identification, identify};
pub use network::Network;
pub use public_url::PublicUrl;
