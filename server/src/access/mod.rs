//! Who may ask what: the host that is named, the address and the person who ask, pages of other sites,
//! rights, and turns for anonymous requests.

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
