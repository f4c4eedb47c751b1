//! Decides which requests are admitted: by host name, sender, origin and rights. Anonymous requests
//! take turns.

mod anonymous;
mod by_application;
mod cross_site;
mod guard;
mod hosts;
mod identify;
mod name;
mod network;
mod open;
mod public_url;

pub use anonymous::AnonymousTurns;
pub(crate) use anonymous::take_turns;
pub use by_application::Access;
pub(crate) use by_application::{
    ApplicationNonce, ApplicationRules, admit_by_application, identify_by_application,
};
pub(crate) use cross_site::{CrossSite, csrf, explain_cross_site};
pub(crate) use guard::{Guarded, HARMLESS, admit, guard, guard_functions};
pub use hosts::Hosts;
pub(crate) use hosts::check_host;
pub use identify::Proxies;
pub(crate) use identify::{Identification, OwnSession, identify};
pub use network::Network;
pub(crate) use open::is_open;
pub use public_url::PublicUrl;
