use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Script, ScriptInvocation};

use super::error::StructureError;
use crate::clock::{MAX_TIME_TO_LIVE, millis};
use crate::connection::{Query, Reply, Step};
use crate::l2::Keyspace;
use crate::node::Node;

/// One key in Redis, and the link to it.
#[derive(Clone)]
pub(super) struct StructureKey {
    shared: Arc<Shared>,
    /// `None` on a node without Redis.
    key: Option<String>,
}

impl StructureKey {
    pub(super) fn new(shared: &Arc<Shared>, key: &str) -> Self {
        let key = shared.keyspace.as_ref().map(|keyspace| keyspace.entry(key));
        Self { shared: Arc::clone(shared), key }
    }

    /// A command on this key, to which more arguments can be added.
    pub(super) fn command(&self, name: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(self.key.as_deref());
        command
    }

    /// A script on this key that writes. Its first argument is the key's time to live.
    pub(super) fn writing<'a>(
        &self,
        script: &'a Script,
        time_to_live: Duration,
    ) -> Result<ScriptInvocation<'a>, StructureError> {
        let mut invocation = script.prepare_invoke();
        invocation.key(self.key.as_deref()).arg(time_to_live_ms(time_to_live)?);
        Ok(invocation)
    }

    pub(super) async fn ask<T: Reply>(&self, command: Cmd) -> Result<T, StructureError> {
        self.query(&command).await
    }

    pub(super) async fn run<T: Reply>(
        &self,
        invocation: ScriptInvocation<'_>,
    ) -> Result<T, StructureError> {
        self.query(&invocation).await
    }

    async fn query<T: Reply>(&self, query: &impl Query) -> Result<T, StructureError> {
        let keyspace = self.shared.keyspace.as_ref().ok_or(StructureError::Away)?;
        let asked = keyspace.link.ask(Step::Structure, query).await;
        asked.map_err(|failed| StructureError::of(&failed))
    }
}

impl std::fmt::Debug for StructureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.key)
    }
}

pub(super) fn time_to_live_ms(time_to_live: Duration) -> Result<u64, StructureError> {
    if time_to_live.is_zero() {
        return Err(StructureError::NoTimeToLive);
    }
    Ok(millis(time_to_live.min(MAX_TIME_TO_LIVE)).max(1))
}

/// State that all handles of one name share.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) keyspace: Option<Keyspace>,
    /// Keeps the link to Redis alive.
    pub(super) _node: Node,
}
