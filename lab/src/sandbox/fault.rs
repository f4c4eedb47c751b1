use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use crate::redis_proxy::RedisProxy;
use crate::trace::{Level, TraceLine};

/// What can be broken on a sandbox, and mended again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The database takes longer to answer.
    SlowDatabase,
    /// The database does not answer.
    DatabaseAway,
    /// No node reaches Redis.
    RedisAway,
    /// The last node receives nothing on the bus. It reaches Redis otherwise.
    #[serde(rename = "node_deaf")]
    BusSilent,
    /// The last node's process is gone.
    NodeKilled,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SlowDatabase,
        Self::DatabaseAway,
        Self::RedisAway,
        Self::BusSilent,
        Self::NodeKilled,
    ];
    /// How much longer a slow database takes.
    pub const SLOWNESS: Duration = Duration::from_millis(200);

    /// Its name in forms and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlowDatabase => "slow_database",
            Self::DatabaseAway => "database_away",
            Self::RedisAway => "redis_away",
            Self::BusSilent => "node_deaf",
            Self::NodeKilled => "node_killed",
        }
    }

    const fn broken_text(self) -> &'static str {
        match self {
            Self::SlowDatabase => "the database gets slow",
            Self::DatabaseAway => "the database goes away",
            Self::RedisAway => "Redis goes away",
            Self::BusSilent => "the last node is cut off the bus",
            Self::NodeKilled => "the last node is killed",
        }
    }

    const fn repaired_text(self) -> &'static str {
        match self {
            Self::SlowDatabase => "the database is as quick as before",
            Self::DatabaseAway => "the database is back",
            Self::RedisAway => "Redis is back",
            Self::BusSilent => "the last node hears the bus again",
            Self::NodeKilled => "the last node is back",
        }
    }

    /// The fault of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == name)
    }
}

/// Breaking and mending. What is broken twice is mended once.
impl Sandbox {
    /// Breaks something.
    ///
    /// # Errors
    /// When Redis is to be cut off and is not there, or cannot be cut off.
    pub fn inject(&self, fault: Fault) -> Result<(), SandboxError> {
        match fault {
            Fault::SlowDatabase => self.source.set_slowness(Fault::SLOWNESS),
            Fault::DatabaseAway => self.source.cut_off(),
            Fault::RedisAway if self.proxies.is_empty() => return Err(SandboxError::NoProxy),
            Fault::RedisAway => self.proxies.iter().for_each(RedisProxy::cut),
            Fault::BusSilent => self.silence_bus(self.settings.nodes)?,
            Fault::NodeKilled => self.kill(self.settings.nodes),
        }
        self.faults().insert(fault);
        self.note(None, fault.broken_text());
        Ok(())
    }

    /// Mends it.
    ///
    /// # Errors
    /// When a node that was killed cannot be built again.
    pub async fn repair(&self, fault: Fault) -> Result<(), SandboxError> {
        match fault {
            Fault::SlowDatabase => self.source.set_slowness(Duration::ZERO),
            Fault::DatabaseAway => self.source.bring_back(),
            Fault::RedisAway => self.proxies.iter().for_each(RedisProxy::reconnect),
            Fault::BusSilent => self.restore_bus(self.settings.nodes),
            Fault::NodeKilled => self.restart(self.settings.nodes).await?,
        }
        self.faults().remove(&fault);
        self.note(None, fault.repaired_text());
        Ok(())
    }

    /// Lets Redis hang for all nodes: it takes connections and commands, and answers none. Mended
    /// as [`Fault::RedisAway`].
    ///
    /// # Errors
    /// When Redis is not there, or nothing can be put before it.
    pub fn silence_redis(&self) -> Result<(), SandboxError> {
        if self.proxies.is_empty() {
            return Err(SandboxError::NoProxy);
        }
        self.proxies.iter().for_each(RedisProxy::silence);
        self.faults().insert(Fault::RedisAway);
        self.note(None, "Redis hangs");
        Ok(())
    }

    /// Cuts a node, numbered from 1, off the bus.
    ///
    /// # Errors
    /// When Redis is not there, or cannot be cut off.
    pub fn silence_bus(&self, node: usize) -> Result<(), SandboxError> {
        let proxy = self.proxies.get(node.wrapping_sub(1)).ok_or(SandboxError::NoProxy)?;
        proxy.silence_bus();
        Ok(())
    }

    /// Lets a node read the bus again. It continues where it was.
    pub fn restore_bus(&self, node: usize) {
        if let Some(proxy) = self.proxies.get(node.wrapping_sub(1)) {
            proxy.restore_bus();
        }
    }

    /// Kills a node, numbered from 1: what only its process knows is gone.
    pub fn kill(&self, node: usize) {
        let killed = self.slots().get_mut(node.wrapping_sub(1)).and_then(Option::take);
        if let Some(killed) = killed {
            killed.node.shutdown();
            self.note(Some(node), "is killed");
        }
    }

    /// Starts a node again that was killed, with an empty L1.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn restart(&self, node: usize) -> Result<(), SandboxError> {
        let is_there = self.slots().get(node.wrapping_sub(1)).is_some_and(Option::is_some);
        if is_there {
            return Ok(());
        }
        let started = self.start_node(node).await?;
        if let Some(slot) = self.slots().get_mut(node.wrapping_sub(1)) {
            *slot = Some(started);
            self.note(Some(node), "is started");
        }
        Ok(())
    }

    pub(crate) fn note(&self, node: Option<usize>, text: &str) {
        let now = tokio::time::Instant::now();
        self.trace.push(TraceLine::of(Level::Nowhere, node, text.to_owned(), now));
    }
}
