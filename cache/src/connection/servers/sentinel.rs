//! Which server the Sentinels call master.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::time::Instant;

use super::address::{Sentinels, Server, Servers};
use super::connector::{ConnectOptions, Connector, at};
use crate::connection::answer::{ErrorClass, ErrorReply};
use crate::connection::link::{Link, in_time};

/// A master that was replaced may still answer for many seconds, while other nodes use its
/// successor. So often the Sentinels are asked whether it still is the one.
const WATCHED_EVERY: Duration = Duration::from_secs(1);

/// How the Sentinels are asked while all is well.
#[derive(Default)]
pub(in crate::connection) struct Watch {
    open: tokio::sync::Mutex<Option<(Server, MultiplexedConnection)>>,
    due: std::sync::Mutex<Option<Instant>>,
}

impl Link {
    /// Waits until the Sentinels name another master; for ever where there are none.
    pub(in crate::connection) async fn master_has_moved(&self) {
        let Servers::Sentinel(sentinels) = &self.connector.address.servers else {
            return std::future::pending().await;
        };
        loop {
            self.connector.watch.wait().await;
            let named = self.connector.named_master(sentinels, self.connect_timeout()).await;
            // What is not known is no reason to leave.
            let here = self.connector.known().used.clone();
            if named.is_some() && here.is_some() && named != here {
                return;
            }
        }
    }
}

impl Watch {
    /// Waits until it is time to ask, however often a wait for it begins anew.
    async fn wait(&self) {
        let lock = || self.due.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = *lock().get_or_insert_with(|| Instant::now() + WATCHED_EVERY);
        tokio::time::sleep_until(due).await;
        *lock() = Some(Instant::now() + WATCHED_EVERY);
    }
}

impl Connector {
    /// Asks on a connection that is kept; where that fails, the other Sentinels in turn.
    async fn named_master(&self, sentinels: &Sentinels, within: Duration) -> Option<Server> {
        let mut open = self.watch.open.lock().await;
        let mut asked = None;
        if let Some((sentinel, mut connection)) = open.take() {
            match in_time(within, master_of(&mut connection, &sentinels.master)).await {
                Ok(Some(named)) => {
                    *open = Some((sentinel, connection));
                    return Some(named);
                }
                Ok(None) | Err(_) => asked = Some(sentinel),
            }
        }
        let mut order = self.sentinels_in_turn(sentinels);
        order.sort_by_key(|sentinel| asked.as_ref() == Some(sentinel));
        for sentinel in order {
            let opened = self.open_sentinel(&sentinel, sentinels.options(within)).await;
            let Ok(mut connection) = opened else { continue };
            let named = in_time(within, master_of(&mut connection, &sentinels.master)).await;
            if let Ok(Some(named)) = named {
                self.known().others = vec![sentinel.clone()];
                *open = Some((sentinel, connection));
                return Some(named);
            }
        }
        None
    }

    /// All Sentinels, the one that answered last first.
    fn sentinels_in_turn(&self, sentinels: &Sentinels) -> Vec<Server> {
        let mut order = self.known().others.clone();
        for sentinel in &sentinels.servers {
            if !order.contains(sentinel) {
                order.push(sentinel.clone());
            }
        }
        order
    }

    /// Asks the Sentinels in turn, the one that answered last first.
    pub(in crate::connection) async fn master(
        &self,
        sentinels: &Sentinels,
        within: Duration,
    ) -> RedisResult<Server> {
        let order = self.sentinels_in_turn(sentinels);
        let (mut failure, mut n_asked) = (None, 0);
        for sentinel in order {
            let options = sentinels.options(within);
            match self.ask_sentinel(&sentinel, &sentinels.master, options).await {
                Ok(Some(master)) => {
                    self.known().others = vec![sentinel];
                    return Ok(master);
                }
                Ok(None) => n_asked += 1,
                Err(error) => failure = Some(at(&sentinel, &error)),
            }
        }
        if n_asked > 0 {
            let said = format!("no Sentinel knows a master named {:?}", sentinels.master);
            return Err(ErrorReply::refusal("SENTINEL", said));
        }
        Err(match failure {
            Some(failure) => {
                let why = ErrorReply::read(&failure);
                ErrorReply::refusal("SENTINEL", format!("no Sentinel answers: {}", why.message))
            }
            None => ErrorReply::refusal("SENTINEL", "no Sentinel is named".to_owned()),
        })
    }

    async fn open_sentinel(
        &self,
        sentinel: &Server,
        options: ConnectOptions<'_>,
    ) -> RedisResult<MultiplexedConnection> {
        self.open(sentinel, options).await.map_err(|error| {
            match ErrorReply::read(&error).code.as_ref() {
                "WRONGPASS" => {
                    let said = "the Sentinel refuses the user or the password of the Sentinels";
                    ErrorReply::refusal("WRONGPASS", said.to_owned())
                }
                _ => error,
            }
        })
    }

    async fn ask_sentinel(
        &self,
        sentinel: &Server,
        master: &str,
        options: ConnectOptions<'_>,
    ) -> RedisResult<Option<Server>> {
        let mut connection = self.open_sentinel(sentinel, options).await?;
        match in_time(options.within, master_of(&mut connection, master)).await {
            Ok(found) => Ok(found),
            Err(error) => {
                let reply = ErrorReply::read(&error);
                let is_none = reply.verdict == ErrorClass::Refused
                    && reply.code == "ERR"
                    && reply.message.starts_with("unknown command");
                match is_none {
                    true => Err(ErrorReply::refusal("SENTINEL", "it is no Sentinel".to_owned())),
                    false => Err(error),
                }
            }
        }
    }
}

impl Sentinels {
    fn options(&self, within: Duration) -> ConnectOptions<'_> {
        ConnectOptions { login: &self.login, encryption: self.encryption, database: 0, within }
    }
}

async fn master_of(
    connection: &mut MultiplexedConnection,
    master: &str,
) -> RedisResult<Option<Server>> {
    let mut ask = cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let found: Option<(String, u16)> = ask.query_async(connection).await?;
    Ok(found.map(|(host, port)| Server { host, port }))
}
