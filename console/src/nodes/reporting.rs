//! The reports of nodes, one by one and added up. A node that panics as it reports is logged.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use strata_cache::LogLimit;
use strata_report::{CacheReport, NodeReport, WriteBehindReport};
use tracing::warn;

use super::client::NodeClient;
use super::shared_report::SharedReport;

/// The most nodes whose panics are counted each for itself; experiments bring new ones all the time.
const MAX_NODES: usize = 64;

static TOLD: Mutex<BTreeMap<String, LogLimit>> = Mutex::new(BTreeMap::new());

/// Logs it, once a minute for each node. What is of the node may panic again, and is contained.
pub(crate) fn log_panic(node: &dyn NodeClient, panic: &(dyn Any + Send)) {
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

/// A node's report. If the node panics, it counts as not heard, and the panic is logged.
pub(crate) fn report_of(node: &dyn NodeClient) -> Option<SharedReport> {
    catch_unwind(AssertUnwindSafe(|| node.report())).unwrap_or_else(|panic| {
        log_panic(node, &*panic);
        None
    })
}

/// Every cache once, its nodes added up, in the order in which they were built.
pub(crate) fn merged_caches<'a>(reports: impl Iterator<Item = &'a NodeReport>) -> Vec<CacheReport> {
    let mut sums: Vec<CacheReport> = Vec::new();
    for report in reports.flat_map(|node| &node.caches) {
        match sums.iter_mut().find(|sum| sum.cache == report.cache) {
            Some(sum) => sum.merge(report),
            None => sums.push(report.clone()),
        }
    }
    sums
}

/// The write-behind of each cache, these nodes added up.
pub(crate) fn merged_write_behinds<'a>(
    nodes: impl Iterator<Item = &'a NodeReport>,
) -> Vec<WriteBehindReport> {
    let mut sums: Vec<WriteBehindReport> = Vec::new();
    for report in nodes.flat_map(|node| &node.write_behinds) {
        match sums.iter_mut().find(|sum| sum.cache == report.cache) {
            Some(sum) => sum.merge(report),
            None => sums.push(report.clone()),
        }
    }
    sums
}
