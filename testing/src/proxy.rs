use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};
use tokio::sync::{RwLock, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::RedisServer;
use super::commands::Commands;

/// The kind of a node's connection. Its first commands show the kind; before that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// Begins with PING and HELLO. Until the second command comes, any connection that begins with
    /// PING.
    L2,
    /// On which the node reads the bus.
    Bus,
    /// Operators' requests.
    Operator,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the node to Redis.
    Requests,
    /// From Redis to the node.
    Answers,
}

/// The connections that a node needs.
pub const LINES: [Line; 2] = [Line::L2, Line::Bus];
/// Both directions.
pub const DIRECTIONS: [Direction; 2] = [Direction::Requests, Direction::Answers];

/// Pieces of up to 64 KB that are held in one direction. A sender of more than that waits.
const MAX_QUEUED: usize = 1_024;

/// A TCP proxy between a node and Redis, which can break the connection.
///
/// Forwards until a rule forbids it. Once a switch has been awaited, nothing passes that it
/// forbids. Held data passes later, when it is allowed again, even if its sender is gone.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    redis: Mutex<PathBuf>,
    rules: watch::Sender<Rules>,
    /// Read while bytes pass, written while the rules change.
    passing: RwLock<()>,
    seen: Mutex<BTreeMap<(Line, String), u64>>,
}

#[derive(Clone, Default)]
struct Rules {
    held: Vec<(Line, Direction)>,
    delay: Duration,
}

impl Proxy {
    /// A proxy that listens on a free port and leads to this server.
    pub async fn before(redis: &RedisServer) -> Self {
        let shared = Arc::new(Shared {
            redis: Mutex::new(redis.socket()),
            rules: watch::Sender::default(),
            passing: RwLock::default(),
            seen: Mutex::default(),
        });
        let listener = bind("127.0.0.1:0".parse().unwrap()).listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = Some(tokio::spawn(accept(Arc::clone(&shared), listener)));
        Self { address, shared, accepting }
    }

    /// Makes new connections lead to another server, as after a failover by name. Present
    /// connections stay.
    pub fn lead_to(&self, redis: &RedisServer) {
        *self.shared.redis.lock().unwrap() = redis.socket();
    }

    /// Where a node finds the proxy.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Resets every connection and refuses new ones.
    pub async fn cut(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Accepts connections, and forwards all data except these directions on these lines.
    pub async fn hold(&mut self, lines: &[Line], directions: &[Direction]) {
        let held =
            lines.iter().flat_map(|line| directions.iter().map(|direction| (*line, *direction)));
        self.switch(Rules { held: held.collect(), delay: Duration::ZERO }).await;
    }

    /// Accepts connections and forwards nothing.
    pub async fn black_hole(&mut self) {
        self.hold(&LINES, &DIRECTIONS).await;
    }

    /// Requests arrive, but answers do not.
    pub async fn half_open(&mut self) {
        self.hold(&LINES, &[Direction::Answers]).await;
    }

    /// Forwards everything, in each direction with this delay.
    pub async fn delay(&mut self, delay: Duration) {
        self.switch(Rules { held: Vec::new(), delay }).await;
    }

    /// Accepts and forwards everything.
    pub async fn restore(&mut self) {
        self.switch(Rules::default()).await;
    }

    async fn switch(&mut self, rules: Rules) {
        {
            let _none_passes = self.shared.passing.write().await;
            self.shared.rules.send_replace(rules);
        }
        if self.accepting.is_none() {
            let listener = bind(self.address).listen(64).unwrap();
            self.accepting = Some(tokio::spawn(accept(Arc::clone(&self.shared), listener)));
        }
    }

    /// The commands that came in on a line since they were last forgotten, including held ones, and
    /// how often.
    pub fn seen(&self, line: Line) -> BTreeMap<String, u64> {
        let seen = self.shared.seen.lock().unwrap();
        let seen = seen.iter().filter(|((on, _), _)| *on == line);
        seen.map(|((_, command), times)| (command.clone(), *times)).collect()
    }

    /// How often this command came in on a line since it was last forgotten.
    pub fn times(&self, line: Line, command: &str) -> u64 {
        self.seen(line).get(command).copied().unwrap_or(0)
    }

    /// Forgets the commands that came in.
    pub fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// A socket that does not listen yet, so connections are refused.
fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// When it is aborted, it ends with all its connections.
async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(connect(Arc::clone(&shared), client));
    }
}

async fn connect(shared: Arc<Shared>, mut client: TcpStream) {
    client.set_zero_linger().unwrap();
    client.set_nodelay(true).unwrap();
    let redis = shared.redis.lock().unwrap().clone();
    let Ok(mut server) = UnixStream::connect(redis).await else { return };
    let line = Mutex::new(None);
    let mut begun = Vec::new();
    let mut note = |commands: Vec<String>| {
        for command in commands {
            if begun.len() < 2 && !command.starts_with("CLIENT") {
                begun.push(command.clone());
                *line.lock().unwrap() = line_of(&begun);
            }
            if let Some(line) = *line.lock().unwrap() {
                *shared.seen.lock().unwrap().entry((line, command)).or_default() += 1;
            }
        }
    };
    let mut commands = Commands::default();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::join!(
        shared.pump((&line, Direction::Requests), from_client, to_server, |bytes| {
            note(commands.read(bytes));
        }),
        shared.pump((&line, Direction::Answers), from_server, to_client, |_| ()),
    );
}

/// The line of a connection that begins with these commands.
fn line_of(begun: &[String]) -> Option<Line> {
    match begun.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["PING"] | ["PING", "HELLO"] => Some(Line::L2),
        ["INFO", ..] => Some(Line::Bus),
        [] => None,
        _ => Some(Line::Operator),
    }
}

impl Shared {
    async fn pump(
        &self,
        (line, direction): (&Mutex<Option<Line>>, Direction),
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        mut note: impl FnMut(&[u8]),
    ) {
        let (queue, mut queued) = mpsc::channel(MAX_QUEUED);
        let reading = async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(n @ 1..) = from.read(&mut buffer).await {
                note(&buffer[..n]);
                let due = Instant::now() + self.rules.borrow().delay;
                if queue.send((due, buffer[..n].to_vec())).await.is_err() {
                    return;
                }
            }
        };
        let writing = async move {
            while let Some((due, bytes)) = queued.recv().await {
                sleep_until(due).await;
                if self.pass(line, direction, to.write_all(&bytes)).await.is_err() {
                    return;
                }
            }
            let _ = self.pass(line, direction, to.shutdown()).await;
        };
        tokio::join!(reading, writing);
    }

    /// Waits until it is allowed, then acts while no rule can change.
    async fn pass<T>(
        &self,
        line: &Mutex<Option<Line>>,
        direction: Direction,
        act: impl Future<Output = T>,
    ) -> T {
        let line = || *line.lock().unwrap();
        let mut rules = self.rules.subscribe();
        loop {
            let _ = rules.wait_for(|rules| !rules.hold(line(), direction)).await;
            let _passing = self.passing.read().await;
            if !self.rules.borrow().hold(line(), direction) {
                return act.await;
            }
        }
    }
}

impl Rules {
    /// An operator's connection, and a connection of unknown kind, are held if both other lines
    /// are.
    fn hold(&self, line: Option<Line>, direction: Direction) -> bool {
        match line {
            Some(line @ (Line::L2 | Line::Bus)) => self.held.contains(&(line, direction)),
            Some(Line::Operator) | None => {
                LINES.iter().all(|line| self.held.contains(&(*line, direction)))
            }
        }
    }
}
