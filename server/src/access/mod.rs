//! Decides which requests are admitted: by host name, sender, origin and rights. Anonymous requests
//! take turns.

mod anonymous;
mod cross_site;
mod guard;
mod hosts;
mod identify;

pub(crate) use anonymous::{AnonymousTurns, take_turns};
pub(crate) use cross_site::{csrf, explain_cross_site};
pub(crate) use guard::{Guarded, HARMLESS, admit, guard, guard_functions};
pub(crate) use hosts::{Hosts, check_host};
pub(crate) use identify::{Identification, Proxies, identify};
