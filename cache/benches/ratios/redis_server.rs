use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use strata_cache::Node;
use tempfile::TempDir;

/// A separate redis-server without persistence, which ends with the bench.
pub(crate) struct RedisServer {
    port: u16,
    child: Child,
    _dir: TempDir,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let dir = TempDir::new().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("a free port").port();
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
            ])
            .args(["--enable-debug-command", "yes"])
            .arg("--dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { port, child, _dir: dir };
        let began = Instant::now();
        while server.try_connect().await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection like a node's, without Strata around it.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        self.try_connect().await.expect("redis-server answers")
    }

    async fn try_connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let client = Client::open(self.url())?;
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A node that hears the bus.
    pub(crate) async fn node(&self, id: &str) -> Node {
        self.patient_node(id, Node::DEFAULT_L2_TIMEOUT).await
    }

    /// A node with a hard timeout that even a busy machine does not reach.
    pub(crate) async fn patient_node(&self, id: &str, l2_timeout: Duration) -> Node {
        let builder = Node::builder("bench").id(id).redis_url(&self.url()).l2_timeout(l2_timeout);
        let node = builder.start().await;
        let node = node.expect("a node");
        let began = Instant::now();
        while !node.report().bus.connected {
            assert!(began.elapsed() < Duration::from_secs(10), "the node does not hear the bus");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        node
    }

    /// Ends it. Later connections are refused.
    pub(crate) fn kill(&mut self) {
        let _: Result<(), _> = self.child.kill().and_then(|()| self.child.wait().map(|_| ()));
    }

    /// Freezes it with its connections open: a black hole.
    pub(crate) fn freeze(&self) {
        let pid = self.child.id().to_string();
        let frozen = Command::new("kill").args(["-STOP", &pid]).status();
        assert!(frozen.is_ok_and(|status| status.success()), "redis-server was not frozen");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
