use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::trace::{Level, TraceLine};
use super::wire::Wire;
use super::{PlayError, Stage};

/// What can be broken on a stage, and mended again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The database takes longer to answer.
    SlowDatabase,
    /// The database does not answer.
    DatabaseAway,
    /// No node reaches Redis.
    RedisAway,
    /// The last node hears nothing on the bus, and reaches Redis otherwise.
    NodeDeaf,
    /// The last node's process is gone.
    NodeKilled,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SlowDatabase, Self::DatabaseAway, Self::RedisAway, Self::NodeDeaf, Self::NodeKilled];
    /// How much longer a slow database takes.
    pub const SLOWNESS: Duration = Duration::from_millis(200);

    /// Its name in forms and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlowDatabase => "slow_database",
            Self::DatabaseAway => "database_away",
            Self::RedisAway => "redis_away",
            Self::NodeDeaf => "node_deaf",
            Self::NodeKilled => "node_killed",
        }
    }

    const fn told_broken(self) -> &'static str {
        match self {
            Self::SlowDatabase => "the database gets slow",
            Self::DatabaseAway => "the database goes away",
            Self::RedisAway => "Redis goes away",
            Self::NodeDeaf => "the last node is cut off the bus",
            Self::NodeKilled => "the last node is killed",
        }
    }

    const fn told_mended(self) -> &'static str {
        match self {
            Self::SlowDatabase => "the database is as quick as before",
            Self::DatabaseAway => "the database is back",
            Self::RedisAway => "Redis is back",
            Self::NodeDeaf => "the last node hears the bus again",
            Self::NodeKilled => "the last node is back",
        }
    }

    /// The fault of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == name)
    }
}

/// Breaking and mending. What is broken twice is mended once.
impl Stage {
    /// Breaks something.
    ///
    /// # Errors
    /// When Redis is to be cut off and is not there, or cannot be cut off.
    pub fn inflict(&self, fault: Fault) -> Result<(), PlayError> {
        match fault {
            Fault::SlowDatabase => self.source.set_slowness(Fault::SLOWNESS),
            Fault::DatabaseAway => self.source.cut_off(),
            Fault::RedisAway if self.wires.is_empty() => return Err(PlayError::NoWire),
            Fault::RedisAway => self.wires.iter().for_each(Wire::cut),
            Fault::NodeDeaf => self.deafen(self.settings.nodes)?,
            Fault::NodeKilled => self.kill(self.settings.nodes),
        }
        self.faults().insert(fault);
        self.note(None, fault.told_broken());
        Ok(())
    }

    /// Mends it.
    ///
    /// # Errors
    /// When a node that was killed cannot be built again.
    pub async fn mend(&self, fault: Fault) -> Result<(), PlayError> {
        match fault {
            Fault::SlowDatabase => self.source.set_slowness(Duration::ZERO),
            Fault::DatabaseAway => self.source.bring_back(),
            Fault::RedisAway => self.wires.iter().for_each(Wire::reconnect),
            Fault::NodeDeaf => self.undeafen(self.settings.nodes),
            Fault::NodeKilled => self.revive(self.settings.nodes).await?,
        }
        self.faults().remove(&fault);
        self.note(None, fault.told_mended());
        Ok(())
    }

    /// Lets Redis hang for all nodes: it takes connections and commands, and answers none. Mended
    /// as [`Fault::RedisAway`].
    ///
    /// # Errors
    /// When Redis is not there, or nothing can be put before it.
    pub fn silence_redis(&self) -> Result<(), PlayError> {
        if self.wires.is_empty() {
            return Err(PlayError::NoWire);
        }
        self.wires.iter().for_each(Wire::silence);
        self.faults().insert(Fault::RedisAway);
        self.note(None, "Redis hangs");
        Ok(())
    }

    /// Cuts a node, numbered from 1, off the bus.
    ///
    /// # Errors
    /// When Redis is not there, or cannot be cut off.
    pub fn deafen(&self, node: usize) -> Result<(), PlayError> {
        let wire = self.wires.get(node.wrapping_sub(1)).ok_or(PlayError::NoWire)?;
        wire.deafen();
        Ok(())
    }

    /// Lets a node hear the bus again; it goes on where it was.
    pub fn undeafen(&self, node: usize) {
        if let Some(wire) = self.wires.get(node.wrapping_sub(1)) {
            wire.undeafen();
        }
    }

    /// Kills a node, numbered from 1: what only its process knows is gone.
    pub fn kill(&self, node: usize) {
        let killed = self.seats().get_mut(node.wrapping_sub(1)).and_then(Option::take);
        if let Some(seat) = killed {
            seat.node.shutdown();
            self.note(Some(node), "is killed");
        }
    }

    /// Starts a node again that was killed, with an empty L1.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn revive(&self, node: usize) -> Result<(), PlayError> {
        let is_there = self.seats().get(node.wrapping_sub(1)).is_some_and(Option::is_some);
        if is_there {
            return Ok(());
        }
        let seat = self.seat_node(node).await?;
        if let Some(place) = self.seats().get_mut(node.wrapping_sub(1)) {
            *place = Some(seat);
            self.note(Some(node), "is started");
        }
        Ok(())
    }

    pub(super) fn note(&self, node: Option<usize>, text: &str) {
        let now = tokio::time::Instant::now();
        self.trace.push(TraceLine::of(Level::Nowhere, node, text.to_owned(), now));
    }
}
