use std::ops::{Deref, DerefMut};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use strata_cache::Node;
use strata_testing::eventually;

/// A redis-server of the bench's own, reached over TCP as services reach theirs.
pub(crate) struct RedisServer(strata_testing::RedisServer);

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let options = ["--enable-debug-command", "yes"];
        Self(strata_testing::RedisServer::start_on_a_port(&options).await)
    }

    pub(crate) fn url(&self) -> String {
        self.tcp_url()
    }

    /// A connection like a node's, without Strata around it.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let client = Client::open(self.url()).expect("an address");
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        connection.expect("redis-server answers")
    }

    /// A node that hears the bus.
    pub(crate) async fn node(&self, id: &str) -> Node {
        self.patient_node(id, Node::DEFAULT_L2_TIMEOUT).await
    }

    /// A node with a hard timeout that even a busy machine does not reach.
    pub(crate) async fn patient_node(&self, id: &str, l2_timeout: Duration) -> Node {
        let builder = Node::builder("bench").id(id).redis_url(&self.url()).l2_timeout(l2_timeout);
        let node = builder.start().await.expect("a node");
        eventually("the node hears the bus", async || node.report().bus.connected).await;
        node
    }
}

impl Deref for RedisServer {
    type Target = strata_testing::RedisServer;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for RedisServer {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
