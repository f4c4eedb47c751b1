//! Logins that end are asked for again in time, and open connections log in anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connector::Connector;
use super::link::{Link, SLOW_TIMEOUT, in_time};
use super::login::{Credentials, Login};

/// Where they could not be renewed, they are asked for again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What gives a login may take so long.
const LONGEST: Duration = Duration::from_secs(30);

/// A login that does not say how long it lasts serves the connections that begin within this time.
const KEPT: Duration = Duration::from_secs(2);

/// The login that counts now, and until when.
#[derive(Default)]
pub(super) struct Renewal {
    current: Mutex<Option<(Credentials, Instant)>>,
    /// When the next is due; `None` where none ends.
    due: watch::Sender<Option<Instant>>,
    /// How often they were renewed.
    version: AtomicU64,
    asking: tokio::sync::Mutex<()>,
}

impl Renewal {
    /// Those that count now. Connections that begin together ask once. What gives them goes on
    /// where nobody waits any more, so that it may take longer than connecting may.
    pub(super) async fn credentials(self: &Arc<Self>, login: &Login) -> RedisResult<Credentials> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let (renewal, login) = (Arc::clone(self), login.clone());
        let asking = tokio::spawn(in_time(LONGEST, async move { renewal.ask(&login).await }));
        asking.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    async fn ask(&self, login: &Login) -> RedisResult<Credentials> {
        let _one = self.asking.lock().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let given = login.now().await?;
        let now = Instant::now();
        let due = given.renew_after.map(|after| now + after);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((given.clone(), now));
        self.due.send_replace(due);
        Ok(given)
    }

    fn current(&self) -> Option<Credentials> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, at) = current.as_ref()?;
        let lasts = current.renew_after.unwrap_or(KEPT);
        (at.elapsed() < lasts).then(|| current.clone())
    }

    /// Those that Redis refused do not count any more.
    pub(super) fn forget(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Link {
    /// Waits until the login is to be renewed; for ever where it does not end.
    pub(super) async fn renewal_is_due(&self) {
        let mut due = self.connector.renewal.due.subscribe();
        loop {
            let at = *due.borrow_and_update();
            let changed = async {
                if due.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            match at {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => return,
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// Renews the login, of the connection that commands use as well. The others notice.
    pub(super) async fn renew_login(&self) {
        let renewed = async {
            let renewal = &self.connector.renewal;
            // It goes on where it takes longer.
            in_time(SLOW_TIMEOUT, renewal.credentials(&self.connector.address.login)).await?;
            renewal.version.fetch_add(1, Ordering::AcqRel);
            let connection = self.state().connection.clone();
            match connection {
                Some(mut connection) => self.log_in(&mut connection).await,
                None => Ok(()),
            }
        };
        if let Err(error) = renewed.await {
            self.note(&error);
            let renewal = &self.connector.renewal;
            renewal.forget();
            renewal.due.send_replace(Some(Instant::now() + AGAIN_AFTER));
        }
    }

    /// Changes each time the login is renewed.
    pub(crate) fn login_version(&self) -> u64 {
        self.connector.renewal.version.load(Ordering::Acquire)
    }

    /// Logs in anew on an open connection.
    pub(crate) async fn log_in(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        in_time(SLOW_TIMEOUT, self.connector.log_in(connection)).await
    }
}

impl Connector {
    async fn log_in(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let Credentials { user, password, .. } =
            self.renewal.credentials(&self.address.login).await?;
        let mut auth = cmd("AUTH");
        if let Some(user) = user {
            auth.arg(user);
        }
        auth.arg(password.unwrap_or_default());
        auth.query_async(connection).await
    }
}
