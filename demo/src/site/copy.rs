use strata_cache::{BuildError, Node};

use crate::cached::{CachedObjects, CachedPosts, CachedTimelines, CachedUsers};
use crate::store::Store;

/// One running copy of the demo service: its node, its caches, and the store that all copies
/// share. Cheap to clone; all clones are the same copy.
///
/// Reads check authorisation after the cache has answered, so that a cached value is guarded like a
/// loaded one. A write commits to the store first and then tells the caches; once begun it runs to
/// its end even when its caller goes away.
#[derive(Clone)]
pub struct Site {
    pub(super) node: Node,
    pub(super) store: Store,
    pub(super) users: CachedUsers,
    pub(super) posts: CachedPosts,
    pub(super) timelines: CachedTimelines,
    pub(super) objects: CachedObjects,
}

impl Site {
    /// Builds the demo's caches on `node`.
    ///
    /// # Errors
    /// Where the node has caches of the same names already.
    pub fn new(node: Node, store: Store) -> Result<Self, BuildError> {
        Ok(Self {
            users: CachedUsers::build(&node, &store)?,
            posts: CachedPosts::build(&node, &store)?,
            timelines: CachedTimelines::build(&node, &store)?,
            objects: CachedObjects::build(&node, &store)?,
            node,
            store,
        })
    }

    /// Its node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Its store.
    pub fn store(&self) -> &Store {
        &self.store
    }
}
