//! A node as consoles elsewhere see it, and a console's end of that: presence, reports and asks
//! through Redis. No node can be reached by any other way.
//!
//! | file | what |
//! |---|---|
//! | `settings` | what a node tells and allows |
//! | `form` | bytes on the wire: form version, compression, limits |
//! | `names`, `scripts` | the keys in Redis, and the steps on them |
//! | `signature` | who may ask, where there is a key |
//! | `presence`, `beats` | a node's card, its beats and its goodbye |
//! | `report` | what a beat carries |
//! | `events` | what happens to keys that a console wants to be told of |
//! | `gate`, `answering` | which asks are let in, and how they are answered |
//! | `console` | a console's end |

mod answering;
mod beats;
mod console;
mod events;
mod form;
mod gate;
mod names;
mod presence;
mod report;
mod scripts;
mod settings;
mod signature;

pub use console::{
    Announcements, AskError, AskTo, FleetClient, FleetNode, FleetView, Replies, SilentNode,
};
pub use form::FormError;
pub use settings::Fleet;

pub(crate) use console::{ClientSettings, Console};
pub(crate) use presence::{FleetHost, Presence, forget_namespace};
pub(crate) use scripts::NAMED as SCRIPTS;
pub(crate) use settings::{Identity, key_of_environment};
pub(crate) use signature::FleetKey;
