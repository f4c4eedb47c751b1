use std::sync::Arc;

use crate::access::{PeerBounds, PeerLimit};
use crate::keys::QueryQueues;

/// How much of what costs may be under way at a time: queries, invalidations, uploads, experiments.
/// Consoles of one program share it, so that a peer has no more of it where there are more services.
/// Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct ConsoleLimits {
    pub(crate) queries: Arc<QueryQueues>,
    /// Invalidations that run.
    pub(crate) jobs: Arc<PeerLimit>,
    /// Uploads that are read.
    pub(crate) uploads: Arc<PeerLimit>,
    /// Experiments that run.
    pub(crate) experiments: Arc<PeerLimit>,
}

impl ConsoleLimits {
    const MAX_JOBS: PeerBounds = PeerBounds { total: 32, per_peer: 8 };
    const MAX_UPLOADS: PeerBounds = PeerBounds { total: 4, per_peer: 2 };
    const MAX_EXPERIMENTS: PeerBounds = PeerBounds { total: 8, per_peer: 4 };
}

impl Default for ConsoleLimits {
    fn default() -> Self {
        Self {
            queries: Arc::default(),
            jobs: PeerLimit::new(Self::MAX_JOBS),
            uploads: PeerLimit::new(Self::MAX_UPLOADS),
            experiments: PeerLimit::new(Self::MAX_EXPERIMENTS),
        }
    }
}
