use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use strata_cache::{ErrorChain, Tasks};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::place::{self, MAX_SOCKET_BYTES, socket};

/// A `redis-server` of our own: no persistence, no TCP, a socket in a directory that only we may
/// enter. It is restarted on the same socket when it dies, and goes away with the program.
///
/// Where util-linux's `setpriv` is installed the kernel ends the server even when this program is
/// killed outright; without it a SIGKILL leaves the server behind.
#[derive(Debug)]
pub struct PrivateRedis {
    dir: TempDir,
    pid: watch::Receiver<Option<u32>>,
    stop: DropGuard,
    ended: CancellationToken,
}

/// Why there is no private Redis.
#[derive(Debug, thiserror::Error)]
pub enum PrivateRedisError {
    /// Neither `redis-server` nor `valkey-server` is installed.
    #[error("find redis-server or valkey-server on the PATH")]
    NotInstalled,
    /// It could not be started.
    #[error("start redis-server")]
    Start(#[source] io::Error),
    /// There is no place for its socket.
    #[error("find a place for redis-server's socket: {} has more than {} bytes", .0.display(), MAX_SOCKET_BYTES)]
    PathTooLong(PathBuf),
    /// It ended before it answered.
    #[error("keep redis-server running: it ended with {0}: {1}")]
    Ended(String, String),
    /// It was started and did not answer.
    #[error("get an answer from redis-server: {0}")]
    Silent(String),
}

impl PrivateRedis {
    /// How long the server may take until it answers.
    const START_TIMEOUT: Duration = Duration::from_secs(10);
    /// The wait before a server that died is started again; doubled up to the longest. Even the
    /// shortest is long enough for the console, which looks once a second, to show the loss.
    const SHORTEST_BACKOFF: Duration = Duration::from_secs(2);
    const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
    /// How long its end may take.
    const STOP_TIMEOUT: Duration = Duration::from_secs(5);

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// See [`PrivateRedisError`].
    pub async fn start() -> Result<Self, PrivateRedisError> {
        Self::start_among(&Tasks::new(CancellationToken::new())).await
    }

    /// The same, kept by one of the program's tasks. It outlives them: see [`PrivateRedis::stop`].
    pub(crate) async fn start_among(tasks: &Tasks) -> Result<Self, PrivateRedisError> {
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(on_path)
            .ok_or(PrivateRedisError::NotInstalled)?;
        let dir = place::find()?;
        let child = begin(&program, dir.path()).await?;
        let (pid_sender, pid) = watch::channel(child.id());
        info!(redis_pid = child.id(), "private redis-server started");
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let keeper = Arc::new(Keeper {
            program,
            dir: dir.path().into(),
            pid: pid_sender,
            stop: stop.clone(),
            child: Mutex::new(child),
        });
        let told = ended.clone();
        // It ends the server itself when it is told to.
        tasks.until(CancellationToken::new()).spawn_until_done("private redis", move || {
            let (keeper, told) = (Arc::clone(&keeper), told.clone());
            async move {
                keeper.keep().await;
                told.cancel();
            }
        });
        Ok(Self { dir, pid, stop: stop.drop_guard(), ended })
    }

    /// Where it listens, as a `redis+unix://` address.
    pub fn url(&self) -> String {
        place::url(&socket(self.dir.path()))
    }

    /// Its process id; `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Follows its process id.
    pub fn watch_pid(&self) -> watch::Receiver<Option<u32>> {
        self.pid.clone()
    }

    /// Ends the server and removes its directory.
    pub async fn stop(self) {
        drop(self.stop);
        if timeout(Self::STOP_TIMEOUT, self.ended.cancelled()).await.is_err() {
            warn!("the private redis-server did not end in time");
        }
    }
}

/// Sees to it that the server runs until it is told to stop.
struct Keeper {
    program: PathBuf,
    dir: PathBuf,
    pid: watch::Sender<Option<u32>>,
    stop: CancellationToken,
    /// Held while it is kept, so that who keeps it after a panic has it as well.
    child: Mutex<Child>,
}

impl Keeper {
    async fn keep(&self) {
        let mut child = self.child.lock().await;
        let mut backoff = PrivateRedis::SHORTEST_BACKOFF;
        loop {
            let started = Instant::now();
            let Some(ended) = self.until_ended(&mut child).await else {
                return;
            };
            self.pid.send_replace(None);
            warn!(status = %describe(ended), "private redis-server ended; starting it again");
            if started.elapsed() > PrivateRedis::LONGEST_BACKOFF {
                backoff = PrivateRedis::SHORTEST_BACKOFF;
            }
            *child = loop {
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = sleep(backoff) => {}
                }
                backoff = (backoff * 2).min(PrivateRedis::LONGEST_BACKOFF);
                match self.restart().await {
                    Ok(child) => break child,
                    Err(error) => warn!("failed to {}", ErrorChain(&error)),
                }
            };
        }
    }

    /// How the server ended; `None` when it was told to.
    async fn until_ended(&self, child: &mut Child) -> Option<io::Result<ExitStatus>> {
        tokio::select! {
            ended = child.wait() => Some(ended),
            () = self.stop.cancelled() => {
                if let Err(error) = child.kill().await {
                    warn!(%error, "failed to end the private redis-server");
                }
                self.pid.send_replace(None);
                None
            }
        }
    }

    async fn restart(&self) -> Result<Child, PrivateRedisError> {
        let child = begin(&self.program, &self.dir).await?;
        info!(redis_pid = child.id(), "private redis-server started again");
        self.pid.send_replace(child.id());
        Ok(child)
    }
}

fn describe(ended: io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Starts the server and waits until it answers.
async fn begin(program: &Path, dir: &Path) -> Result<Child, PrivateRedisError> {
    if let Some(setpriv) = on_path("setpriv") {
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        match answering(command, dir).await {
            // One that is old knows no --pdeathsig.
            Err(PrivateRedisError::Ended(..) | PrivateRedisError::Start(_)) => {}
            answer => return answer,
        }
    }
    answering(Command::new(program), dir).await
}

/// Runs the server by this command, and waits until it answers or has ended.
async fn answering(command: Command, dir: &Path) -> Result<Child, PrivateRedisError> {
    let mut child = spawn(command, dir).map_err(PrivateRedisError::Start)?;
    tokio::select! {
        answered = answered(dir) => answered?,
        ended = child.wait() => {
            return Err(PrivateRedisError::Ended(describe(ended), place::last_words(dir)));
        }
    }
    Ok(child)
}

fn spawn(mut command: Command, dir: &Path) -> io::Result<Child> {
    // What it says before it has a log, such as what it thinks of its arguments.
    let output = fs::File::create(dir.join(place::OUTPUT))?;
    command
        .args(arguments(dir))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // Ctrl-C reaches the whole process group; the server has to outlive the draining.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn arguments(dir: &Path) -> Vec<OsString> {
    const FIXED: [&str; 17] = [
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--maxmemory",
        "64mb",
        "--maxmemory-policy",
        // The lab keeps unwritten values and structures there too, which have no time to live.
        "volatile-lfu",
        "--logfile",
        "redis.log",
        "--unixsocketperm",
        "700",
        "--dir",
    ];
    let mut arguments: Vec<OsString> = FIXED.into_iter().map(OsString::from).collect();
    arguments.extend([dir.into(), "--unixsocket".into(), socket(dir).into()]);
    arguments
}

async fn answered(dir: &Path) -> Result<(), PrivateRedisError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let socket = socket(dir);
    let answer = async {
        while ping(&socket).await.is_err() {
            sleep(PAUSE).await;
        }
    };
    timeout(PrivateRedis::START_TIMEOUT, answer)
        .await
        .map_err(|_| PrivateRedisError::Silent(place::last_words(dir)))
}

async fn ping(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    if &answer == b"+PONG" { Ok(()) } else { Err(io::Error::other("no PONG")) }
}
