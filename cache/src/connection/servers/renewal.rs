//! Logins that end are asked for again in time, and open connections log in anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connector::Connector;
use super::login::{Credentials, Login};
use crate::connection::link::{Link, SLOW_TIMEOUT, in_time};

/// Where they could not be renewed, they are asked for again after so long.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What gives a login may take so long.
const LONGEST: Duration = Duration::from_secs(30);

/// A login that does not say how long it lasts serves the connections that begin within this time.
const KEPT: Duration = Duration::from_secs(2);

/// The login that counts now, and until when.
#[derive(Default)]
pub(in crate::connection) struct Renewal {
    current: Mutex<Option<Given>>,
    /// When the next is due; `None` where none ends.
    due: watch::Sender<Option<Instant>>,
    /// Rises each time another takes the place of one that ends. Each connection that began with an
    /// older one logs in anew.
    version: AtomicU64,
    asking: tokio::sync::Mutex<()>,
}

/// A login as it was given last.
struct Given {
    credentials: Credentials,
    at: Instant,
    is_refused: bool,
}

impl Renewal {
    /// Those that count now. Connections that begin together ask once. What gives them goes on
    /// where nobody waits any more, so that it may take longer than connecting may.
    pub(in crate::connection) async fn credentials(
        self: &Arc<Self>,
        login: &Login,
    ) -> RedisResult<Credentials> {
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
        let credentials = login.now().await?;
        self.keep(credentials.clone());
        Ok(credentials)
    }

    fn keep(&self, credentials: Credentials) {
        let at = Instant::now();
        let due = credentials.renew_after.map(|after| at + after);
        let mut current = self.given();
        let before = current.replace(Given { credentials, at, is_refused: false });
        if due.is_some() && before.is_some() {
            self.version.fetch_add(1, Ordering::AcqRel);
        }
        self.due.send_replace(due);
    }

    fn current(&self) -> Option<Credentials> {
        let given = self.given();
        let given = given.as_ref().filter(|given| !given.is_refused)?;
        let lasts = given.credentials.renew_after.unwrap_or(KEPT);
        (given.at.elapsed() < lasts).then(|| given.credentials.clone())
    }

    /// Those that Redis refused do not count any more.
    pub(in crate::connection) fn forget(&self) {
        if let Some(given) = &mut *self.given() {
            given.is_refused = true;
        }
    }

    /// They could not be renewed. They are asked for again after a while, or are there before.
    fn ask_later(&self) {
        let mut given = self.given();
        if let Some(given) = &mut *given {
            given.is_refused = true;
        }
        self.due.send_replace(Some(Instant::now() + AGAIN_AFTER));
    }

    fn given(&self) -> MutexGuard<'_, Option<Given>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Waits until the login is to be renewed, or was renewed and the connection that commands use
    /// began with an older one; for ever where it does not end.
    pub(in crate::connection) async fn renewal_is_due(&self) {
        let mut due = self.connector.renewal.due.subscribe();
        loop {
            let at = *due.borrow_and_update();
            if self.has_newer_login() {
                return;
            }
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

    /// The connection that commands use is another one, whose login may have been renewed while it
    /// began.
    pub(in crate::connection) fn look_at_login(&self) {
        self.connector.renewal.due.send_modify(|_| {});
    }

    fn has_newer_login(&self) -> bool {
        let is_older = {
            let state = self.state();
            state.connection.is_some() && state.login != self.login_version()
        };
        is_older && self.connector.renewal.current().is_some()
    }

    /// Renews the login, of the connection that commands use as well. The others notice.
    pub(in crate::connection) async fn renew_login(&self) {
        let renewed = async {
            let (renewal, login) = (&self.connector.renewal, &self.connector.address.login);
            // It goes on where it takes longer.
            in_time(SLOW_TIMEOUT, renewal.credentials(login)).await?;
            let version = self.login_version();
            let (connection, generation) = {
                let state = self.state();
                (state.connection.clone().filter(|_| state.login != version), state.generation)
            };
            let Some(mut connection) = connection else { return Ok(()) };
            self.log_in(&mut connection).await?;
            let mut state = self.state();
            if state.generation == generation {
                state.login = version;
            }
            Ok(())
        };
        if let Err(error) = renewed.await {
            self.note(&error);
            self.connector.renewal.ask_later();
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
