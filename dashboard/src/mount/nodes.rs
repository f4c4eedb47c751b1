use std::collections::HashSet;

use strata_cache::Node;

use super::MountError;

/// Each node once. What one of them is asked is done on the Redis of all.
///
/// # Errors
/// Where they are not of one namespace, or use several Redis.
pub(super) fn distinct(nodes: Vec<Node>) -> Result<Vec<Node>, MountError> {
    let Some(first) = nodes.first() else { return Ok(nodes) };
    for other in &nodes {
        if other.namespace() != first.namespace() {
            let (first, other) = (first.namespace().to_owned(), other.namespace().to_owned());
            return Err(MountError::Namespaces { first, other });
        }
        if other.redis_address() != first.redis_address() {
            return Err(MountError::Redis { first: place(first), other: place(other) });
        }
    }
    let mut known = HashSet::new();
    Ok(nodes.into_iter().filter(|node| known.insert(node.id().to_owned())).collect())
}

/// A node, and where its Redis is.
fn place(node: &Node) -> String {
    match node.redis_address() {
        Some(redis) => format!("{} ({redis})", node.id()),
        None => format!("{} (no Redis)", node.id()),
    }
}
