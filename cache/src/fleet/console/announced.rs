//! Which namespaces nodes announce in a Redis.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::sync::Mutex;

use super::asking::AskError;
use crate::connection::{
    CallError, Connector, ErrorReply, RedisAddress, SLOW_TIMEOUT, in_time, is_name,
};
use crate::error::BuildError;
use crate::fleet::names::NAMESPACES;

const CONNECTING: Duration = Duration::from_secs(2);

/// The namespaces that nodes announce in one Redis, for consoles that look for services. It needs no
/// namespace of its own, and reads one key, `strata:namespaces`.
///
/// It holds one connection, which is made anew where it was lost. One call at a time; others wait.
pub struct Announcements {
    connector: Connector,
    connection: Mutex<Option<MultiplexedConnection>>,
    trouble: std::sync::Mutex<Option<String>>,
    were_cut: AtomicBool,
}

impl Announcements {
    /// Those in this Redis, which may be away.
    ///
    /// # Errors
    /// Where the settings of the address contradict each other.
    pub fn at(redis: &RedisAddress) -> Result<Self, BuildError> {
        let connector = Connector::new(redis.clone())?;
        Ok(Self {
            connector,
            connection: Mutex::default(),
            trouble: std::sync::Mutex::default(),
            were_cut: AtomicBool::new(false),
        })
    }

    /// Their names, in order, and how long ago each was noted, milliseconds by Redis's clock: a
    /// minute ago at most where a node of it is up. A node whose ACL forbids it notes none. What
    /// lies there and is no name of a namespace is left out, and so is a time that is more than a
    /// minute ahead. About 4 096 names are read at most; [`were_cut`](Self::were_cut) says
    /// where there were more.
    ///
    /// # Errors
    /// Where Redis is away or refuses.
    pub async fn namespaces(&self) -> Result<Vec<(String, u64)>, AskError> {
        let mut kept = self.connection.lock().await;
        let listing = async {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => self.connector.connect_beside(NAMESPACES, CONNECTING).await?,
            };
            let (listed, is_cut) = list(&mut connection).await?;
            self.were_cut.store(is_cut, Ordering::Relaxed);
            // One that failed is not used again: another server may be the one by now.
            *kept = Some(connection);
            Ok(listed)
        };
        let listed = in_time(SLOW_TIMEOUT, listing).await;
        let trouble = listed.as_ref().err().map(|error| ErrorReply::read(error).to_string());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        listed.map_err(|error| AskError::from(CallError::of(&error)))
    }

    /// Whether there were more than the last call that succeeded has read.
    pub fn were_cut(&self) -> bool {
        self.were_cut.load(Ordering::Relaxed)
    }

    /// What was the matter with the last call, as `TLS: the server's certificate has expired`; `None`
    /// where nothing was. It names no user and no password.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What lies in the list: names, and when each was noted.
type Noted = Vec<(Vec<u8>, Vec<u8>)>;

/// About so many names are read at once, and so many at most.
const READ_AT_ONCE: usize = 256;
const MOST_READ: usize = 4_096;

/// So many bytes are read, whatever lies there.
const MOST_BYTES: usize = 1 << 20;

/// A time that is further ahead was not noted by any node: they note Redis's own, which may have been
/// set back a little since.
const AHEAD_MS: u64 = 60_000;

/// Namespaces, how long ago each was noted, and whether there are more.
async fn list(connection: &mut MultiplexedConnection) -> RedisResult<(Vec<(String, u64)>, bool)> {
    let time: (u64, u64) = cmd("TIME").query_async(connection).await?;
    let now_ms = time.0 * 1_000 + time.1 / 1_000;
    let (mut namespaces, mut n_read, mut n_bytes, mut cursor) = (BTreeMap::new(), 0, 0, 0_u64);
    loop {
        let mut scan = cmd("HSCAN");
        scan.arg(NAMESPACES).arg(cursor).arg("COUNT").arg(READ_AT_ONCE);
        let (next, seen): (u64, Noted) = scan.query_async(connection).await?;
        n_read += seen.len();
        n_bytes += seen.iter().map(|(name, at)| name.len() + at.len()).sum::<usize>();
        namespaces.extend(seen.into_iter().filter_map(|noted| read(noted, now_ms)));
        cursor = next;
        if cursor == 0 || n_read >= MOST_READ || n_bytes >= MOST_BYTES {
            return Ok((namespaces.into_iter().collect(), cursor != 0));
        }
    }
}

/// A namespace, and how long ago it was noted; `None` where it is none, or was noted by no node.
fn read((name, at): (Vec<u8>, Vec<u8>), now_ms: u64) -> Option<(String, u64)> {
    let name = String::from_utf8(name).ok().filter(|name| is_name(name))?;
    let at_ms: u64 = std::str::from_utf8(&at).ok()?.parse().ok()?;
    let is_ahead = at_ms > now_ms.saturating_add(AHEAD_MS);
    (!is_ahead).then(|| (name, now_ms.saturating_sub(at_ms)))
}

impl std::fmt::Debug for Announcements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcements").finish_non_exhaustive()
    }
}
