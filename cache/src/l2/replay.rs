//! How queued invalidations are sent again.

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use super::keyspace::Keyspace;
use super::removal::RemovalWalk;
use crate::connection::{PendingInvalidation, Query, Reply, SLOW_TIMEOUT, in_time};
use crate::pattern::Pattern;
use crate::target::Target;

impl Keyspace {
    /// Sends queued invalidations again on the connection that is being probed. Several may share a
    /// walk. Returns the number at which a tag was invalidated.
    pub(crate) async fn replay(
        &self,
        connection: MultiplexedConnection,
        together: &[PendingInvalidation],
    ) -> RedisResult<Option<u64>> {
        let Some(oldest) = together.first() else { return Ok(None) };
        match (&oldest.target, oldest.own_schema) {
            (Target::Key(key), None) => {
                let key = std::slice::from_ref(key);
                let _: u64 = self.send(connection, &self.removal(key)).await?;
                Ok(None)
            }
            (Target::Tag(tag), _) => {
                let told = self.send(connection, &self.tag_removal(tag)).await?;
                Ok(Some(self.tag_counts.take(told)))
            }
            (Target::Key(_), Some(_)) => {
                let keys = together.iter().map(|one| one.target.text().to_owned());
                let keys: Vec<String> = keys.collect();
                in_time(SLOW_TIMEOUT, self.unlink_own(connection, &keys)).await.map(|()| None)
            }
            (Target::Pattern(_) | Target::All, Some(_)) => {
                self.walk_away(&connection, RemovalWalk::over_own()).await.map(|()| None)
            }
            (Target::Pattern(_) | Target::All, None) => {
                self.replay_walk(connection, together).await.map(|()| None)
            }
        }
    }

    async fn send<T: Reply>(
        &self,
        mut connection: MultiplexedConnection,
        query: &impl Query,
    ) -> RedisResult<T> {
        in_time(SLOW_TIMEOUT, query.ask(&mut connection)).await
    }

    async fn replay_walk(
        &self,
        connection: MultiplexedConnection,
        together: &[PendingInvalidation],
    ) -> RedisResult<()> {
        let patterns: Vec<Option<&Pattern>> =
            together.iter().map(PendingInvalidation::pattern).collect();
        self.walk_away(&connection, RemovalWalk::over(&patterns)).await?;
        for pattern in patterns {
            let _: u64 = self.send(connection.clone(), &self.announcement(pattern)).await?;
        }
        Ok(())
    }

    async fn walk_away(
        &self,
        connection: &MultiplexedConnection,
        mut walk: RemovalWalk<'_>,
    ) -> RedisResult<()> {
        while !walk.is_over {
            in_time(SLOW_TIMEOUT, self.unlink_some(connection.clone(), &mut walk)).await?;
        }
        Ok(())
    }
}
