//! Servers that replicate.

use strata_testing::RedisServer;

use super::{Redis, eventually};

impl Redis {
    /// A server that others can follow: it also listens on a port of this machine.
    pub(crate) async fn start_on_a_port() -> Self {
        Self(RedisServer::start_on_a_port(&[]).await)
    }

    /// Another server that follows this one, and has all its data.
    pub(crate) async fn replica(&self) -> Self {
        let () = self.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await;
        let replica = Self::start_on_a_port().await;
        replica.follow(self).await;
        replica
    }

    /// Follows another server from now on. Returns once it has all its data.
    pub(crate) async fn follow(&self, primary: &Self) {
        let () = self.ask(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]).await;
        eventually("it has caught up", async || {
            let state: String = self.ask(&["INFO", "replication"]).await;
            state.contains("master_link_status:up")
        })
        .await;
    }
}
