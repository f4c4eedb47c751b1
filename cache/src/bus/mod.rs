//! How nodes learn of each other's invalidations. Each namespace has one Redis Stream, which each
//! node reads on a connection of its own. A heartbeat beside it proves that invalidations can be
//! written.

mod asks;
mod bus_connection;
mod heartbeat;
mod listening;
mod message;
mod missed;
mod position;
mod reader;
mod reading;
mod trust;

#[cfg(feature = "fleet")]
pub(crate) use asks::AskHandler;
pub(crate) use message::{Message, MessageKind};
pub(crate) use missed::Missed;
pub(crate) use reader::{BusHandler, BusReader};
pub(crate) use trust::COUNTS_FOR;

pub(crate) use heartbeat::{NAMED as SCRIPTS, prove};
