//! Which server the Sentinels call master.

use std::time::Duration;

use redis::{RedisResult, cmd};

use super::address::{Sentinels, Server};
use super::answer::{ErrorClass, ErrorReply};
use super::connector::{Connector, Way, at};
use super::link::in_time;

impl Connector {
    /// Asks the Sentinels in turn, the one that answered last first.
    pub(super) async fn master(
        &self,
        sentinels: &Sentinels,
        within: Duration,
    ) -> RedisResult<Server> {
        let mut order = self.known().others.clone();
        order.extend(
            sentinels
                .servers
                .iter()
                .filter(|one| !order.contains(one))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let (mut failure, mut n_asked) = (None, 0);
        for sentinel in order {
            let Sentinels { login, encryption, .. } = sentinels;
            let way = Way { login, encryption: *encryption, database: 0, within };
            match self.ask_sentinel(&sentinel, &sentinels.master, way).await {
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

    async fn ask_sentinel(
        &self,
        sentinel: &Server,
        master: &str,
        way: Way<'_>,
    ) -> RedisResult<Option<Server>> {
        let mut connection = self.open(sentinel, way).await?;
        let mut ask = cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
        let answer: RedisResult<Option<(String, u16)>> =
            in_time(way.within, ask.query_async(&mut connection)).await;
        match answer {
            Ok(found) => Ok(found.map(|(host, port)| Server { host, port })),
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
