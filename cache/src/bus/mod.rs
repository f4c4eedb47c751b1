//! How nodes hear of each other's invalidations: one Redis Stream a namespace, tailed by each node
//! on a connection of its own, and a heartbeat beside it.

mod beat;
mod listen;
mod message;
mod missed;
mod peers;
mod position;
mod run;
mod tail;
mod trust;

pub(crate) use beat::prove;
pub(crate) use message::{ANNOUNCE, Bus, Message, Subject, What};
pub(crate) use missed::Missed;
pub(crate) use tail::{Hearer, Tail};
pub(crate) use trust::COUNTS_FOR;

/// All scripts of the bus.
pub(crate) const SCRIPTS: [&[crate::script::Named]; 2] = [beat::NAMED, run::NAMED];
