//! How a console's end of a fleet is set up and started on a node.

use std::sync::Arc;
use std::time::Duration;

use super::handle::Node;
use crate::fleet::{ClientSettings, Console, FleetClient, FleetKey, key_of_environment};

/// Settings of a [`FleetClient`].
pub struct FleetClientBuilder {
    node: Node,
    settings: ClientSettings,
}

impl Node {
    /// A console's end of this node's namespace. The node is best one that only looks on, see
    /// [`observer`](crate::NodeBuilder::observer). The client ends with it at the latest.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// use strata_cache::Node;
    ///
    /// let node = Node::builder("shop").redis_url("redis://127.0.0.1").observer().start().await?;
    /// let fleet = node.fleet_client().start().ok_or("there is no Redis")?;
    /// for node in fleet.poll().await?.nodes {
    ///     println!("{} is {}", node.id, node.state.as_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn fleet_client(&self) -> FleetClientBuilder {
        let own = self.shared().presence.as_ref();
        let key = own.map_or_else(key_of_environment, |presence| presence.key().cloned());
        let settings = ClientSettings { key, interval: Duration::from_secs(1) };
        FleetClientBuilder { node: self.clone(), settings }
    }
}

impl FleetClientBuilder {
    /// The key that asks are signed with. Default: the node's own, and of a node that tells consoles
    /// nothing `STRATA_FLEET_KEY` of the environment. An empty one is none.
    pub fn key(mut self, key: &str) -> Self {
        self.settings.key = FleetKey::new(key);
        self
    }

    /// How often nodes should report. Default a second; nodes take 1 s to 60 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.settings.interval = interval;
        self
    }

    /// Starts it: from now on the nodes know that somebody watches. `None` where the node has no
    /// Redis. Where Redis is away, it goes on trying.
    pub fn start(self) -> Option<FleetClient> {
        let shared = self.node.shared();
        let console = Arc::new(Console::new(shared.link()?, &self.settings));
        let end = shared.shutdown.child_token();
        let tasks = shared.tasks.until(end.clone());
        let watching = Arc::clone(&console);
        tasks.spawn("fleet want", move || {
            let console = Arc::clone(&watching);
            async move { console.watch().await }
        });
        let reading = Arc::clone(&console);
        tasks.spawn("fleet replies", move || {
            let console = Arc::clone(&reading);
            async move { console.read_replies().await }
        });
        Some(FleetClient::new(console, end.drop_guard()))
    }
}

impl std::fmt::Debug for FleetClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let interval = self.settings.interval;
        f.debug_struct("FleetClientBuilder").field("interval", &interval).finish_non_exhaustive()
    }
}
