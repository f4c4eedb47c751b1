use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use super::keyspace::Keyspace;
use super::link::{Link, SLOW_TIMEOUT, in_time};
use super::pending::Pending;
use crate::pattern::Pattern;

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

impl Link {
    /// Closes the breaker each time Redis is back, for ever. `replay` sends queued
    /// invalidations, which share a walk, on the given connection.
    pub(crate) async fn recover<Fut>(
        &self,
        replay: impl Fn(MultiplexedConnection, Vec<Pending>) -> Fut,
    ) where
        Fut: Future<Output = RedisResult<()>>,
    {
        loop {
            let mut pause = FIRST_RETRY;
            while self.is_open() {
                if self.probe(&replay).await.is_ok() {
                    break;
                }
                tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
                pause = (pause * 2).min(LAST_RETRY);
            }
            self.opened.notified().await;
        }
    }

    /// The single half-open probe: connect, notice another run of Redis, replay, close.
    pub(crate) async fn probe<Fut>(
        &self,
        replay: &impl Fn(MultiplexedConnection, Vec<Pending>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        let mut connection = self.connect(self.timeout.max(Duration::from_millis(250))).await?;
        let _: String =
            in_time(self.timeout, redis::cmd("PING").query_async(&mut connection)).await?;
        let floor = in_time(self.timeout, self.bus.begin(&mut connection)).await?;
        self.floor.store(floor, Ordering::Release);
        self.state().generation += 1;
        let replayed = self.replay_all(connection, replay).await;
        self.state().replaying = None;
        replayed
    }

    /// Sends what waits, and then trusts L2.
    async fn replay_all<Fut>(
        &self,
        connection: MultiplexedConnection,
        replay: &impl Fn(MultiplexedConnection, Vec<Pending>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        loop {
            // Out of the queue first: the same invalidation may come again while this one runs.
            let next = {
                let mut state = self.state();
                let next = state.queue.pop();
                if next.is_empty() {
                    state.connection = Some(connection);
                    state.generation += 1;
                    self.open.store(false, Ordering::Release);
                    tracing::info!("L2 is trusted");
                    return Ok(());
                }
                state.replaying = Some(connection.clone());
                next
            };
            if let Err(error) = replay(connection.clone(), next.clone()).await {
                self.state().queue.put_back(next);
                return Err(error);
            }
            self.counts.replayed.add(next.len() as u64);
        }
    }
}

impl Keyspace {
    /// Sends queued invalidations again on the connection that is being probed; several share a
    /// walk. Answers the number at which a tag was invalidated.
    pub(crate) async fn replay(
        &self,
        connection: MultiplexedConnection,
        together: &[Pending],
    ) -> RedisResult<Option<u64>> {
        match together {
            [Pending::Key { key, .. }] => {
                let key = std::slice::from_ref(key);
                in_time(SLOW_TIMEOUT, self.remove_on(connection, key)).await?;
                Ok(None)
            }
            [Pending::Tag { tag, .. }] => {
                let told = self.invalidate_tag_on(connection, tag);
                in_time(SLOW_TIMEOUT, told).await.map(Some)
            }
            _ => self.replay_walk(connection, together).await.map(|()| None),
        }
    }

    async fn replay_walk(
        &self,
        connection: MultiplexedConnection,
        together: &[Pending],
    ) -> RedisResult<()> {
        let patterns: Vec<Option<&Pattern>> = together.iter().map(Pending::pattern).collect();
        let mut cursor = 0;
        loop {
            let step = self.unlink_any(connection.clone(), &patterns, cursor);
            (cursor, _) = in_time(SLOW_TIMEOUT, step).await?;
            if cursor == 0 {
                break;
            }
        }
        for pattern in patterns {
            in_time(SLOW_TIMEOUT, self.tell(connection.clone(), pattern)).await?;
        }
        Ok(())
    }
}
