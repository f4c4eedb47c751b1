use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use url::Url;

use super::heard::{Heard, Listener};

/// What lies between one node and Redis: a socket of its own, so that it can be cut, and so that
/// the node's commands are heard.
#[derive(Debug)]
pub(super) struct Wire {
    url: String,
    socket: PathBuf,
    condition: watch::Sender<Condition>,
    accepting: AbortHandle,
}

/// What passes on a wire.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Condition {
    /// No connection is let through.
    is_cut: bool,
    /// Nothing passes on any connection, and all stay open.
    is_silent: bool,
    /// Nothing passes on the connection on which the node hears the bus.
    pub(super) is_deaf: bool,
}

#[derive(Clone, Debug)]
enum Upstream {
    Socket(PathBuf),
    Address(String, u16),
}

/// What every connection of a wire has in common.
#[derive(Clone)]
struct Line {
    upstream: Upstream,
    by: Listener,
    state: watch::Receiver<Condition>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How Redis is asked for what is new on a stream, as it stands on the wire.
const READS_THE_BUS: &[u8] = b"\r\nXREAD\r\n";
const REDIS_PORT: u16 = 6379;

/// What would end the path of an address, or be taken for something encoded.
const IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');

impl Wire {
    /// Must be called within a Tokio runtime. `None` where nothing can be put between, as with TLS,
    /// or no socket can be made.
    pub(super) fn before(redis_url: &str, socket: &Path, by: Listener) -> Option<Self> {
        let (upstream, query) = taken_apart(redis_url)?;
        let listener = UnixListener::bind(socket).ok()?;
        let (condition, state) = watch::channel(Condition::default());
        let accepting = tokio::spawn(accept(listener, Line { upstream, by, state })).abort_handle();
        let path = socket.to_str()?;
        let url = format!("redis+unix://{}{query}", utf8_percent_encode(path, IN_A_PATH));
        Some(Self { url, socket: socket.to_owned(), condition, accepting })
    }

    /// Where the node finds Redis.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Its condition, now and later.
    pub(super) fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }

    pub(super) fn cut(&self) {
        self.condition.send_modify(|condition| condition.is_cut = true);
    }

    pub(super) fn silence(&self) {
        self.condition.send_modify(|condition| condition.is_silent = true);
    }

    pub(super) fn deafen(&self) {
        self.condition.send_modify(|condition| condition.is_deaf = true);
    }

    /// Ends what [`Wire::cut`] and [`Wire::silence`] began.
    pub(super) fn reconnect(&self) {
        self.condition.send_modify(|condition| {
            condition.is_cut = false;
            condition.is_silent = false;
        });
    }

    /// Ends what [`Wire::deafen`] began; what was held comes through.
    pub(super) fn undeafen(&self) {
        self.condition.send_modify(|condition| condition.is_deaf = false);
    }
}

impl Condition {
    /// Whether anything reaches the node that other nodes say.
    pub(super) fn hears(self) -> bool {
        !self.is_cut && !self.is_deaf
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        // A socket that is left behind is a file of no bytes in a folder for such files.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Where Redis listens, and what else the address says, as the query of an address of a socket.
fn taken_apart(redis_url: &str) -> Option<(Upstream, String)> {
    let url = Url::parse(redis_url).ok()?;
    match url.scheme() {
        "redis" => {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            let said = |text: &str| !text.is_empty();
            for (name, value) in [
                ("db", Some(url.path().trim_matches('/'))),
                ("user", Some(url.username())),
                ("pass", url.password()),
            ] {
                if let Some(value) = value.filter(|value| said(value)) {
                    // Encoded for the address as a whole; the query encodes in its own way.
                    query.append_pair(name, &percent_decode_str(value).decode_utf8().ok()?);
                }
            }
            let host = url.host_str().filter(|host| said(host)).unwrap_or("127.0.0.1");
            let host = host.trim_matches(['[', ']']).to_owned();
            let upstream = Upstream::Address(host, url.port().unwrap_or(REDIS_PORT));
            let query = query.finish();
            Some((upstream, if query.is_empty() { query } else { format!("?{query}") }))
        }
        "redis+unix" | "unix" => {
            let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
            let path = percent_decode_str(url.path()).decode_utf8().ok()?;
            Some((Upstream::Socket(path.as_ref().into()), query))
        }
        _ => None,
    }
}

/// Ends, when it is aborted, with all its connections.
async fn accept(listener: UnixListener, line: Line) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if !line.state.borrow().is_cut {
            connections.spawn(connect(client, line.clone()));
        }
    }
}

async fn connect(client: UnixStream, line: Line) {
    let Line { upstream, by, state } = line;
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
    let heard = Mutex::new(Heard::new(&by));
    let pump = Pump { hears_bus: AtomicBool::new(false), heard, state: state.clone() };
    let mut until_cut = state;
    tokio::select! {
        () = pump.requests(from_client, to_server) => (),
        () = pump.answers(from_server, to_client) => (),
        _ = until_cut.wait_for(|condition| condition.is_cut) => (),
    }
}

struct Pump {
    hears_bus: AtomicBool,
    heard: Mutex<Heard>,
    state: watch::Receiver<Condition>,
}

impl Pump {
    async fn requests<R: AsyncRead, W: AsyncWrite>(
        &self,
        mut from: ReadHalf<R>,
        mut to: WriteHalf<W>,
    ) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut bytes).await {
            if bytes[..n].windows(READS_THE_BUS.len()).any(|part| part == READS_THE_BUS) {
                self.hears_bus.store(true, Relaxed);
            }
            let asked = Instant::now();
            self.until_it_may_pass().await;
            self.heard().requests(&bytes[..n], asked);
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
            self.heard().answers(&bytes[..n]);
            if to.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until_it_may_pass(&self) {
        let mut state = self.state.clone();
        let is_held = |condition: &Condition| {
            condition.is_silent || condition.is_deaf && self.hears_bus.load(Relaxed)
        };
        // Whoever could change it is gone, and so is the connection in a moment.
        let _ = state.wait_for(|condition| !is_held(condition)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Option<(String, String)> {
        taken_apart(url).map(|(upstream, query)| (format!("{upstream:?}"), query))
    }

    #[test]
    fn an_address_keeps_its_database_and_password() {
        let told_of = |upstream: &str, query: &str| Some((upstream.to_owned(), query.to_owned()));
        assert_eq!(told("redis://127.0.0.1"), told_of("Address(\"127.0.0.1\", 6379)", ""));
        assert_eq!(
            told("redis://ann:secret@redis.example:7000/3"),
            told_of("Address(\"redis.example\", 7000)", "?db=3&user=ann&pass=secret")
        );
        assert_eq!(told("redis://[::1]:7000"), told_of("Address(\"::1\", 7000)", ""));
        assert_eq!(
            told("redis+unix:///run/redis.sock?db=2"),
            told_of("Socket(\"/run/redis.sock\")", "?db=2")
        );
    }

    #[test]
    fn what_is_encoded_in_an_address_reaches_redis_as_it_was_meant() {
        for (url, asked) in [
            (
                "redis://:p%40ss%2Fw%23rd%251%2B@127.0.0.1:6390/2",
                "db=2&pass=p%40ss%2Fw%23rd%251%2B",
            ),
            ("redis://te%40m:secret@127.0.0.1", "user=te%40m&pass=secret"),
        ] {
            assert_eq!(told(url).unwrap().1, format!("?{asked}"));
        }
        let (upstream, _) = told("redis+unix:///run/my%20redis/a%25b.sock").unwrap();
        assert_eq!(upstream, "Socket(\"/run/my redis/a%b.sock\")");
    }

    #[test]
    fn nothing_is_put_before_what_is_encrypted() {
        assert_eq!(told("rediss://127.0.0.1"), None);
        assert_eq!(told("nonsense"), None);
    }
}
