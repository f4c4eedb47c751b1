//! Servers that replicate.

use std::net::TcpListener;

use super::{Redis, eventually};

impl Redis {
    /// A server that others can follow: it also listens on a port of this machine.
    pub(crate) async fn start_on_a_port() -> Self {
        loop {
            let mut redis = Self::unstarted();
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            redis.port = free.local_addr().unwrap().port();
            drop(free);
            // Another program may have taken the port meanwhile.
            if redis.try_to_restart().await {
                return redis;
            }
        }
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
        let () = self.ask(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]).await;
        eventually("it has caught up", async || {
            let state: String = self.ask(&["INFO", "replication"]).await;
            state.contains("master_link_status:up")
        })
        .await;
    }
}
