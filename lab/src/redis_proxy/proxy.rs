use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::address::{Upstream, parse_redis_url};
use super::tap::{RedisTap, TapTarget};

/// A proxy between one node and Redis, on a socket of its own. It can be cut, and it reads the
/// node's commands.
#[derive(Debug)]
pub(crate) struct RedisProxy {
    url: String,
    socket: PathBuf,
    condition: watch::Sender<LinkState>,
    accepting: AbortHandle,
}

/// What a proxy lets through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinkState {
    /// No connection is let through.
    is_cut: bool,
    /// Nothing passes on any connection, and all stay open.
    is_silent: bool,
    /// Nothing passes on the connection on which the node reads the bus.
    pub(crate) is_bus_silent: bool,
}

/// What every connection of a proxy has in common.
#[derive(Clone)]
struct ProxyContext {
    upstream: Upstream,
    target: TapTarget,
    state: watch::Receiver<LinkState>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How Redis is asked for what is new on a stream, as it stands on the proxy.
const READS_THE_BUS: &[u8] = b"\r\nXREAD\r\n";

/// What would end the path of an address, or be taken for something encoded.
const IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');

impl RedisProxy {
    /// Must be called within a Tokio runtime. `None` where nothing can be put between, as with TLS,
    /// or no socket can be made.
    pub(crate) fn before(redis_url: &str, socket: &Path, target: TapTarget) -> Option<Self> {
        let (upstream, query) = parse_redis_url(redis_url)?;
        let listener = UnixListener::bind(socket).ok()?;
        let (condition, state) = watch::channel(LinkState::default());
        let accepting =
            tokio::spawn(accept(listener, ProxyContext { upstream, target, state })).abort_handle();
        let path = socket.to_str()?;
        let url = format!("redis+unix://{}{query}", utf8_percent_encode(path, IN_A_PATH));
        Some(Self { url, socket: socket.to_owned(), condition, accepting })
    }

    /// Where the node finds Redis.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its condition, now and later.
    pub(crate) fn condition(&self) -> watch::Receiver<LinkState> {
        self.condition.subscribe()
    }

    pub(crate) fn cut(&self) {
        self.condition.send_modify(|condition| condition.is_cut = true);
    }

    pub(crate) fn silence(&self) {
        self.condition.send_modify(|condition| condition.is_silent = true);
    }

    pub(crate) fn silence_bus(&self) {
        self.condition.send_modify(|condition| condition.is_bus_silent = true);
    }

    /// Ends what [`RedisProxy::cut`] and [`RedisProxy::silence`] began.
    pub(crate) fn reconnect(&self) {
        self.condition.send_modify(|condition| {
            condition.is_cut = false;
            condition.is_silent = false;
        });
    }

    /// Ends what [`RedisProxy::deafen`] began; what was held comes through.
    pub(crate) fn restore_bus(&self) {
        self.condition.send_modify(|condition| condition.is_bus_silent = false);
    }
}

impl LinkState {
    /// Whether messages of other nodes reach the node.
    pub(crate) fn receives(self) -> bool {
        !self.is_cut && !self.is_bus_silent
    }
}

impl Drop for RedisProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        // A socket that is left behind is a file of no bytes in a folder for such files.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Ends, when it is aborted, with all its connections.
async fn accept(listener: UnixListener, context: ProxyContext) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if !context.state.borrow().is_cut {
            connections.spawn(connect(client, context.clone()));
        }
    }
}

async fn connect(client: UnixStream, context: ProxyContext) {
    let ProxyContext { upstream, target, state } = context;
    let server: Box<dyn Stream> = match upstream {
        Upstream::Socket(path) => match UnixStream::connect(path).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
        Upstream::Address(host, port) => match TcpStream::connect((host, port)).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
    };
    let (from_client, to_client) = io::split(client);
    let (from_server, to_server) = io::split(server);
    let tap = Mutex::new(RedisTap::new(&target));
    let pump = Connection { reads_bus: AtomicBool::new(false), tap, state: state.clone() };
    let mut until_cut = state;
    tokio::select! {
        () = pump.requests(from_client, to_server) => (),
        () = pump.answers(from_server, to_client) => (),
        _ = until_cut.wait_for(|condition| condition.is_cut) => (),
    }
}

struct Connection {
    reads_bus: AtomicBool,
    tap: Mutex<RedisTap>,
    state: watch::Receiver<LinkState>,
}

impl Connection {
    async fn requests<R: AsyncRead, W: AsyncWrite>(
        &self,
        mut from: ReadHalf<R>,
        mut to: WriteHalf<W>,
    ) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut bytes).await {
            if bytes[..n].windows(READS_THE_BUS.len()).any(|part| part == READS_THE_BUS) {
                self.reads_bus.store(true, Relaxed);
            }
            let asked = Instant::now();
            self.until_it_may_pass().await;
            self.tap().requests(&bytes[..n], asked);
            if to.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    }

    async fn answers<R: AsyncRead, W: AsyncWrite>(
        &self,
        mut from: ReadHalf<R>,
        mut to: WriteHalf<W>,
    ) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut bytes).await {
            self.until_it_may_pass().await;
            self.tap().answers(&bytes[..n]);
            if to.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    }

    fn tap(&self) -> MutexGuard<'_, RedisTap> {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until_it_may_pass(&self) {
        let mut state = self.state.clone();
        let is_held = |condition: &LinkState| {
            condition.is_silent || condition.is_bus_silent && self.reads_bus.load(Relaxed)
        };
        // An error means that the proxy is gone, and so is the connection in a moment.
        let _ = state.wait_for(|condition| !is_held(condition)).await;
    }
}
