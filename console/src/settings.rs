use std::sync::Arc;

use strata_cache::Tasks;

use crate::{Access, Protected, SourceFace};

/// What a console is told besides its nodes.
pub struct ConsoleSettings {
    /// Who may act.
    pub access: Access,
    /// Keys that nobody may invalidate here.
    pub protected: Vec<Protected>,
    /// What stands behind the caches.
    pub sources: Vec<Arc<dyn SourceFace>>,
    /// Whether Redis belongs to this program and ends with it.
    pub redis_is_private: bool,
    /// The program's list of background tasks, for the console's own to stand in; `None` makes one.
    pub tasks: Option<Tasks>,
}

impl From<Access> for ConsoleSettings {
    fn from(access: Access) -> Self {
        Self {
            access,
            protected: Vec::new(),
            sources: Vec::new(),
            redis_is_private: false,
            tasks: None,
        }
    }
}
