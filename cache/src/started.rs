//! Which nodes this process has started, to notice two that nobody can tell apart.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::shared::Shared;
use crate::tasks::log_safely;

static STARTED: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Takes note of a node, and tells of one that lives under the same id in the same namespace.
pub(crate) fn take_note(node: &Arc<Shared>) {
    let is_same = |other: &Arc<Shared>| {
        other.id() == node.id() && other.namespace() == node.namespace() && !other.has_ended()
    };
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    started.retain(|other| other.strong_count() > 0);
    let has_same = started.iter().filter_map(Weak::upgrade).any(|other| is_same(&other));
    started.push(Arc::downgrade(node));
    drop(started);
    if has_same {
        let (namespace, id) = (node.namespace(), node.id());
        let what = "this process runs two nodes of one id: reports and metrics mix them up";
        log_safely(|| tracing::warn!(namespace, id, "{what}"));
    }
}
