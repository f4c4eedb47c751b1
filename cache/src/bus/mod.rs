//! How nodes hear of each other's invalidations: one Redis Stream a namespace, tailed by each node
//! on a connection of its own.

mod message;
mod position;
mod run;
mod tail;

pub(crate) use message::{ANNOUNCE, Bus, Message, Subject, What};
pub(crate) use run::NAMED as SCRIPTS;
pub(crate) use tail::{Hearer, Tail};
