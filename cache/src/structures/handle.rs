use std::fmt::Display;
use std::sync::Arc;

use super::counter::Counter;
use super::hash::Hash;
use super::list::List;
use super::target::{Shared, StructureKey};
use crate::error::BuildError;
use crate::node::{Node, check_name};

impl Node {
    /// Hashes, lists and counters in Redis under a name: 1 to 64 of `a-z`, `0-9`, `_` and `-`. May
    /// be called repeatedly with the same name, on this node and on others. Sends nothing to Redis.
    ///
    /// # Errors
    /// If a cache of this node has the name, or the name is invalid. No cache of this node can use
    /// the name afterwards. Caches of other nodes are not checked, so give structures names that no
    /// cache of the namespace has.
    pub fn structures(&self, name: &str) -> Result<Structures, BuildError> {
        check_name(name)?;
        Structures::new(name, self)
    }
}

/// Hashes, lists and counters in Redis under one name, shared by all nodes of the namespace.
/// Created by [`Node::structures`]. Cheap to clone.
///
/// They are not caches: there is no L1, no source and no bus. Each operation is one round trip to
/// Redis, and each write has a time to live. They are stored in Redis beside the entries of the
/// node's caches, at keys of the same form, and are lost when Redis loses its data.
///
/// # Keys and values
/// A key can be any type with a text. Its kind is that of its first write. Fields and values are
/// bytes. Numbers of a counter are `i64`.
///
/// # Time to live
/// Every write takes one. It is set in the same atomic step and applies to the whole key from then
/// on, whatever time it had left. Only [`Counter::add_in_window`] keeps the first one. Zero is
/// refused, less than a millisecond counts as one, more than ten years as ten years. Removals and
/// pops do not change it. An empty hash or list is removed.
///
/// # Concurrent calls
/// Redis runs one operation at a time. Each takes effect at once and as a whole, and all callers on
/// all nodes agree on the order. Two operations in a row are two steps. A caller that drops the
/// future does not know whether its write took effect.
///
/// # When Redis is away
/// Operations fail with [`StructureError::Away`](crate::StructureError::Away): the first after the
/// node's hard timeout, later ones at once, until the node trusts Redis again. Nothing is queued or
/// tried again. A node without an address of Redis, or without the feature `redis`, always answers
/// so. Keep hashes and ranges so small that Redis answers well within the node's timeout. A timeout
/// also opens the breaker for the caches.
///
/// # Example
/// ```no_run
/// use std::time::Duration;
/// use strata_cache::Node;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::builder("shop").redis_url("redis://127.0.0.1").start().await?;
/// let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
///
/// let carts = node.structures("carts")?;
/// carts.hash(7).set([("tea", "2"), ("milk", "1")], hour).await?;
/// assert_eq!(carts.hash(7).get("tea").await?, Some(b"2".to_vec()));
///
/// let recent = node.structures("recent")?;
/// recent.list("visitors").push_front(["Ada"], 100, hour).await?;
///
/// let calls = node.structures("calls")?;
/// let allowed = calls.counter("10.0.0.7").add_in_window(1, minute).await? <= 100;
/// # let _ = allowed;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Structures {
    shared: Arc<Shared>,
}

impl Structures {
    pub(crate) fn new(name: &str, node: &Node) -> Result<Self, BuildError> {
        node.shared().name_structures(name)?;
        let keyspace = node.shared().keyspace(name, 0);
        let shared = Shared { name: name.to_owned(), keyspace, _node: node.clone() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The name of the structures.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The hash at a key. Sends nothing to Redis.
    pub fn hash(&self, key: impl Display) -> Hash {
        Hash { target: self.target(key) }
    }

    /// The list at a key. Sends nothing to Redis.
    pub fn list(&self, key: impl Display) -> List {
        List { target: self.target(key) }
    }

    /// The counter at a key. Sends nothing to Redis.
    pub fn counter(&self, key: impl Display) -> Counter {
        Counter { target: self.target(key) }
    }

    pub(super) fn target(&self, key: impl Display) -> StructureKey {
        StructureKey::new(&self.shared, &key.to_string())
    }
}

impl std::fmt::Debug for Structures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Structures").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
