//! How nodes hear of each other's invalidations: a Redis Stream and a heartbeat.

mod heartbeat;
mod message;
mod missed;
mod position;
mod reader;
mod reading;
mod trust;

pub(crate) use message::{Message, Subject, What};
pub(crate) use missed::Missed;
pub(crate) use reader::{BusHandler, BusReader};
pub(crate) use trust::COUNTS_FOR;

pub(crate) use heartbeat::{NAMED as SCRIPTS, prove};
