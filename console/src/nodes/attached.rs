use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::NodeClient;
use super::reporting::report_of;
use super::shared_report::SharedReport;
use crate::console::Console;

/// Nodes that come and go beside the service's own.
#[derive(Default)]
pub(crate) struct AttachedNodes {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    last_number: u64,
    attached: Vec<AttachedNode>,
}

/// Attached nodes may share an id, also with one of the service's nodes, so the console numbers them.
struct AttachedNode {
    number: u64,
    node: Arc<dyn NodeClient>,
    first: Option<SharedReport>,
}

/// The report of an attached node.
#[derive(Clone, Debug)]
pub(crate) struct AttachedReport {
    pub(crate) number: u64,
    pub(crate) report: SharedReport,
    /// Its report from when it was attached, if that was since the last tick.
    pub(crate) first: Option<SharedReport>,
}

/// Keeps a node attached to a console; dropping this detaches it.
#[must_use = "the node is detached as soon as this is dropped"]
pub struct AttachGuard {
    attached: Arc<AttachedNodes>,
    number: u64,
}

impl Console {
    /// Shows a node beside the service's own from the next tick on, until the guard is dropped, and
    /// counts from now. Its caches have rows, pages, keys and invalidations like all others. Sums,
    /// alerts, the list of nodes, activity and metrics leave them out. When the last attached node
    /// with a cache goes, the cache is forgotten.
    ///
    /// Attached nodes that have a cache of the same name are taken for nodes of one namespace. A cache
    /// with the name of one of the service's own is not shown, and neither is a cache that an earlier
    /// attached node with the same id has.
    pub fn attach(&self, node: Arc<dyn NodeClient>) -> AttachGuard {
        let attached = Arc::clone(&self.inner.attached);
        let number = attached.add(node);
        AttachGuard { attached, number }
    }
}

impl AttachedNodes {
    fn add(&self, node: Arc<dyn NodeClient>) -> u64 {
        let first = report_of(&*node);
        let mut list = self.list();
        list.last_number += 1;
        let number = list.last_number;
        list.attached.push(AttachedNode { number, node, first });
        number
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<dyn NodeClient>> {
        let list = self.list();
        let attached = list.attached.iter().find(|attached| attached.number == number);
        attached.map(|attached| Arc::clone(&attached.node))
    }

    /// The reports of all attached nodes that are heard, for the next tick.
    pub(crate) fn reports(&self) -> Vec<AttachedReport> {
        let taken: Vec<_> = {
            let mut list = self.list();
            let taken = |attached: &mut AttachedNode| {
                (attached.number, Arc::clone(&attached.node), attached.first.take())
            };
            list.attached.iter_mut().map(taken).collect()
        };
        let reports = taken.into_iter().filter_map(|(number, node, first)| {
            Some(AttachedReport { number, report: report_of(&*node)?, first })
        });
        reports.collect()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AttachGuard {
    fn drop(&mut self) {
        self.attached.list().attached.retain(|attached| attached.number != self.number);
    }
}

/// Takes away the caches that would mix with one of the service's own, or twice with themselves.
pub(crate) fn remove_name_conflicts(attached: &mut [AttachedReport], own_caches: &HashSet<String>) {
    let mut shown = HashSet::new();
    for attached in attached {
        let report = &attached.report;
        let stays: Vec<bool> = (report.caches.iter())
            .map(|cache| {
                !own_caches.contains(&cache.cache)
                    && shown.insert((report.node.clone(), cache.cache.clone()))
            })
            .collect();
        if stays.contains(&false) {
            let mut report = (**report).clone();
            let mut stays = stays.into_iter();
            report.caches.retain(|_| stays.next().unwrap_or(true));
            attached.report = report.into();
        }
    }
}
