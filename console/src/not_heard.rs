//! Tells of nodes that panic as they report.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use strata_cache::LogLimit;
use tracing::warn;

use crate::NodeFace;

/// So many nodes are told of each for itself; experiments bring new ones all the time.
const MAX_NODES: usize = 64;

static TOLD: Mutex<BTreeMap<String, LogLimit>> = Mutex::new(BTreeMap::new());

/// Logs it, once a minute for each node. What is of the node may panic again, and is contained.
pub(crate) fn tell(node: &dyn NodeFace, panic: &(dyn Any + Send)) {
    let telling = || {
        let id = node.id();
        if let Some(times) = due(id) {
            let because = text(panic);
            warn!(node = id, because, times, "a node panicked as it reported and is not heard");
        }
    };
    let _: Result<(), _> = catch_unwind(AssertUnwindSafe(telling));
}

fn due(node: &str) -> Option<u64> {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() >= MAX_NODES && !told.contains_key(node) {
        told.clear();
    }
    told.entry(node.to_owned()).or_default().due()
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it said nothing")
}
