use std::collections::HashSet;
use std::sync::Arc;

use strata_cache::Node;
use strata_console::NodeClient;

use super::MountError;

/// Each node once. What one of them is asked is done on the Redis of all.
///
/// # Errors
/// Where they are not of one namespace.
pub(super) fn distinct(nodes: Vec<Node>) -> Result<Vec<Arc<dyn NodeClient>>, MountError> {
    let first = nodes.first().map(|node| node.namespace().to_owned()).unwrap_or_default();
    if let Some(other) = nodes.iter().map(Node::namespace).find(|other| *other != first) {
        return Err(MountError::Namespaces { other: other.to_owned(), first });
    }
    let mut known = HashSet::new();
    let once = nodes.into_iter().filter(|node| known.insert(node.id().to_owned()));
    Ok(once.map(|node| Arc::new(node) as Arc<dyn NodeClient>).collect())
}
