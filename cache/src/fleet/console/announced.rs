//! Which namespaces nodes announce in a Redis.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, pipe};
use tokio::sync::Mutex;

use super::asking::AskError;
use crate::connection::{CallError, Connector, RedisAddress, SLOW_TIMEOUT, in_time, is_name};
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
}

impl Announcements {
    /// Those in this Redis, which may be away.
    ///
    /// # Errors
    /// Where the settings of the address contradict each other.
    pub fn at(redis: &RedisAddress) -> Result<Self, BuildError> {
        let connector = Connector::new(redis.clone())?;
        Ok(Self { connector, connection: Mutex::default() })
    }

    /// Their names, in order, and how long ago each was noted, milliseconds by Redis's clock: a
    /// minute ago at most where a node of it is up. A node whose ACL forbids it notes none. What
    /// lies there and is no name of a namespace is left out.
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
            let listed = list(&mut connection).await?;
            // One that failed is not used again: another server may be the one by now.
            *kept = Some(connection);
            Ok(listed)
        };
        let listed = in_time(SLOW_TIMEOUT, listing).await;
        listed.map_err(|error| AskError::from(CallError::of(&error)))
    }
}

/// What lies in the list: names, and when each was noted.
type Noted = Vec<(Vec<u8>, Vec<u8>)>;

async fn list(connection: &mut MultiplexedConnection) -> RedisResult<Vec<(String, u64)>> {
    let mut list = pipe();
    list.cmd("TIME").cmd("HGETALL").arg(NAMESPACES);
    let (time, seen): ((u64, u64), Noted) = list.query_async(connection).await?;
    let now_ms = time.0 * 1_000 + time.1 / 1_000;
    let mut namespaces: Vec<_> = seen
        .into_iter()
        .filter_map(|(name, at)| {
            let name = String::from_utf8(name).ok().filter(|name| is_name(name))?;
            let at_ms: u64 = std::str::from_utf8(&at).ok()?.parse().ok()?;
            Some((name, now_ms.saturating_sub(at_ms)))
        })
        .collect();
    namespaces.sort();
    Ok(namespaces)
}

impl std::fmt::Debug for Announcements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcements").finish_non_exhaustive()
    }
}
