use std::time::Duration;

use tokio::time::Instant;

use super::error::SandboxError;
use super::fault::Fault;
use super::lifecycle::Sandbox;
use super::node::SandboxNode;

const HEARING: Duration = Duration::from_secs(15);
const LISTENING: Duration = Duration::from_millis(500);
const FLUSHING: Duration = Duration::from_secs(8);
const RECOVERING: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);

/// What a script waits for.
impl Sandbox {
    /// Lets so much time pass.
    ///
    /// # Errors
    /// When the sandbox is stopped first.
    pub async fn wait(&self, duration: Duration) -> Result<(), SandboxError> {
        let waited = self.stop.run_until_cancelled(tokio::time::sleep(duration)).await;
        waited.ok_or(SandboxError::Stopped)
    }

    /// Waits until every node has heard all invalidations so far. Does not wait for a
    /// node that is cut off.
    ///
    /// # Errors
    /// When the sandbox is stopped, or a node has not applied them within some seconds.
    pub async fn heard(&self) -> Result<(), SandboxError> {
        let deadline = Instant::now() + HEARING;
        for node in self.live_nodes() {
            while !self.has_heard(&node).await? {
                if self.is_broken(&[Fault::BusSilent, Fault::RedisAway]) {
                    self.note(Some(node.number), "has not heard of it");
                    break;
                }
                if Instant::now() > deadline {
                    return Err(SandboxError::NotHeard);
                }
            }
        }
        while !self.channels.is_quiet() {
            if Instant::now() > deadline {
                return Err(SandboxError::NotHeard);
            }
            self.wait(POLL).await?;
        }
        Ok(())
    }

    // Short, so that a fault that a person sets meanwhile is noticed.
    async fn has_heard(&self, node: &SandboxNode) -> Result<bool, SandboxError> {
        let hearing = async {
            match node.node.bus_sequence().await {
                Some(sequence) => node.node.has_heard(sequence, LISTENING).await,
                None => self.environment.redis_url.is_none(),
            }
        };
        self.wait(POLL).await?;
        self.stop.run_until_cancelled(hearing).await.ok_or(SandboxError::Stopped)
    }

    fn is_broken(&self, faults: &[Fault]) -> bool {
        let broken = self.faults();
        faults.iter().any(|fault| broken.contains(fault))
    }

    /// Waits until the database has every acknowledged write, or no node has any more to write.
    ///
    /// # Errors
    /// When the sandbox is stopped, or the table cannot be read.
    pub async fn flushed(&self) -> Result<(), SandboxError> {
        let deadline = Instant::now() + FLUSHING;
        while Instant::now() < deadline {
            let waits = self.live_nodes().iter().any(|node| node.strategy.has_unwritten());
            if self.lost_writes().await? == 0 || !waits {
                return Ok(());
            }
            self.wait(POLL).await?;
        }
        Ok(())
    }

    /// Waits until every node trusts Redis again: what waited for it has been replayed.
    ///
    /// # Errors
    /// When the sandbox is stopped, or a node does not within some seconds.
    pub async fn recovered(&self) -> Result<(), SandboxError> {
        let deadline = Instant::now() + RECOVERING;
        while Instant::now() < deadline {
            let is_well = |node: &SandboxNode| {
                let l2 = node.node.report().l2;
                !l2.breaker_open && l2.queued_invalidations == 0
            };
            if self.live_nodes().iter().all(is_well) || self.is_broken(&[Fault::RedisAway]) {
                return Ok(());
            }
            self.wait(POLL).await?;
        }
        Err(SandboxError::StillAway)
    }
}
