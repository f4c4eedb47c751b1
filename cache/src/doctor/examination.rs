//! What is looked at, in which order.

use std::time::Duration;

use redis::{cmd, from_redis_value};
use strata_report::{ServerKind, may_evict_data};
use tokio::time::Instant;

use super::clocks::ms;
use super::commands::Workplace;
use super::diagnosis::{Diagnosis, Finding};
use super::two_nodes;
use crate::connection::{
    Bus, Connector, ErrorReply, HelloReply, Link, RedisAddress, must_be_no_replica,
    must_be_no_sentinel, must_be_recent,
};
use crate::error::BuildError;
use crate::node::check_name;

const CONNECTING: Duration = Duration::from_secs(5);

/// For so long an empty stream is listened to.
const BLOCKING: Duration = Duration::from_millis(200);

/// Tries on a Redis what nodes need: each command, alone and in scripts, the latency, the clock,
/// whether a blocking read blocks, what is evicted, and two nodes that hear of each other.
///
/// Without a namespace it takes one of its own, named at random, starts two nodes there, and removes
/// all of it at the end. With one, such as where an ACL allows no other, it takes keys that no node
/// uses and starts no nodes. The keys of the commands have a time to live of a minute where PEXPIRE
/// is allowed; a call that is dropped in the middle may leave the bus of its own namespace behind.
/// Takes some seconds, and about 300 commands. Must be called within a Tokio runtime. Whatever it
/// finds is a [`Finding`] and no error.
///
/// # Errors
/// Where the address or the namespace makes no sense.
pub async fn examine(redis_url: &str, namespace: Option<&str>) -> Result<Diagnosis, BuildError> {
    examine_at(&RedisAddress::parse(redis_url)?, namespace).await
}

/// As [`examine`], with all that an address may say.
///
/// # Errors
/// Where the settings of the address contradict each other, or the namespace makes no sense.
pub async fn examine_at(
    redis: &RedisAddress,
    namespace: Option<&str>,
) -> Result<Diagnosis, BuildError> {
    let id = format!("{:08x}", rand::random::<u32>());
    let own = format!("doctor-{id}");
    let namespace = namespace.unwrap_or(&own);
    check_name(namespace)?;
    let connector = Connector::new(redis.clone())?;
    let link = Link::new(connector, CONNECTING, Bus::new(namespace));
    let mut diagnosis = Diagnosis { namespace: namespace.to_owned(), ..Diagnosis::default() };
    let connection = match link.connect(CONNECTING).await {
        Ok(connection) => connection,
        Err(error) => {
            let reply = ErrorReply::read(&error);
            diagnosis.findings.push(Finding::fails("Connection", reply.to_string()));
            return Ok(diagnosis);
        }
    };
    let stem = link.bus.beside(&format!("doctor:{id}"));
    let mut workplace = Workplace { connection, stem, user: "default".to_owned() };
    workplace.look(&mut diagnosis).await;
    if namespace == own && diagnosis.verdict() < super::Verdict::Fails {
        diagnosis.findings.push(two_nodes::agree(redis, namespace).await);
    }
    Ok(diagnosis)
}

impl Workplace {
    async fn look(&mut self, diagnosis: &mut Diagnosis) {
        let findings = &mut diagnosis.findings;
        if let Err(error) = self.send(&cmd("PING")).await {
            findings.push(Finding::fails("Connection", ErrorReply::read(&error).to_string()));
            return;
        }
        if let Ok(user) = self.send(cmd("ACL").arg("WHOAMI")).await {
            self.user = from_redis_value(user).unwrap_or_else(|_| self.user.clone());
        }
        let seen = format!("it answers; the user is {}", self.user);
        findings.push(Finding::works("Connection", seen));
        let (server, finding) = self.server().await;
        diagnosis.server = server;
        findings.push(finding);
        findings.push(self.latency().await);
        findings.push(self.clock().await);
        findings.extend(self.try_commands().await);
        findings.push(self.blocking().await);
        findings.push(self.eviction().await);
    }

    async fn server(&mut self) -> (Option<ServerKind>, Finding) {
        const SUBJECT: &str = "Server";
        let hello =
            match self.send(&cmd("HELLO")).await.and_then(|reply| Ok(from_redis_value(reply)?)) {
                Ok(hello) => hello,
                Err(error) => {
                    let seen = format!("it does not say what it is: {}", ErrorReply::read(&error));
                    return (None, Finding::degrades(SUBJECT, seen));
                }
            };
        let hello: HelloReply = hello;
        let field = |name: &str| {
            hello.get(name).and_then(|value| from_redis_value::<String>(value.clone()).ok())
        };
        let kind = field("server").zip(field("version"));
        let kind = kind.map(|(server, version)| ServerKind { server, version });
        let named = kind.as_ref().map_or_else(
            || "a server without a name".to_owned(),
            |kind| format!("{} {}", kind.server, kind.version),
        );
        if let Err(error) = must_be_recent(kind.as_ref())
            .and(must_be_no_sentinel(&hello))
            .and(must_be_no_replica(&hello))
        {
            let said = ErrorReply::read(&error).message;
            return (kind, Finding::fails(SUBJECT, format!("{named}: {said}")));
        }
        if field("mode").as_deref() != Some("cluster") {
            return (kind, Finding::works(SUBJECT, named));
        }
        // The slot may be another server's, where the address names one server alone.
        match self.send(cmd("GET").arg(self.key("none"))).await {
            Err(error) if matches!(&*ErrorReply::read(&error).code, "MOVED" | "ASK") => {
                let said = ErrorReply::read(&error).message;
                let seen = format!("{named}, one server of a cluster: {said}");
                let advice = "give the address as redis+cluster://, with any of its servers";
                (kind, Finding::fails(SUBJECT, seen).advise(advice))
            }
            _ => {
                let seen =
                    format!("{named}, the server of a cluster that has the namespace's slot");
                (kind, Finding::works(SUBJECT, seen))
            }
        }
    }

    /// A server that answers a blocking read at once would be asked again and again.
    async fn blocking(&mut self) -> Finding {
        const SUBJECT: &str = "Blocking reads";
        let mut read = cmd("XREAD");
        read.arg("BLOCK").arg(ms_number(BLOCKING)).arg("STREAMS").arg(self.key("none")).arg("$");
        let began = Instant::now();
        if let Err(error) = self.send(&read).await {
            let reply = ErrorReply::read(&error);
            return Finding::fails(SUBJECT, format!("XREAD BLOCK: {reply}"));
        }
        let took = began.elapsed();
        match took >= BLOCKING / 2 {
            true => Finding::works(SUBJECT, "a blocking read waits for messages"),
            false => Finding::degrades(
                SUBJECT,
                format!("a blocking read of {} answers after {}", ms(BLOCKING), ms(took)),
            )
            .advise("nodes hear of invalidations by polling, later and with more commands"),
        }
    }

    async fn eviction(&mut self) -> Finding {
        const SUBJECT: &str = "Eviction";
        match self.policy().await {
            None => Finding::degrades(SUBJECT, "the server does not say its maxmemory-policy"),
            Some(policy) if may_evict_data(&policy) => Finding::degrades(
                SUBJECT,
                format!(
                    "maxmemory-policy is {policy}: acknowledged writes of a durable write-behind, \
                     structures and the audit may be evicted"
                ),
            )
            .advise("CONFIG SET maxmemory-policy volatile-lfu, or noeviction"),
            Some(policy) => Finding::works(SUBJECT, format!("maxmemory-policy is {policy}")),
        }
    }

    async fn policy(&mut self) -> Option<String> {
        let info = self.send(cmd("INFO").arg("memory")).await;
        let info: Option<String> = info.ok().and_then(|info| from_redis_value(info).ok());
        let told = info.as_deref().unwrap_or_default();
        if let Some(policy) = told.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")) {
            return Some(policy.trim().to_owned());
        }
        let config = self.send(cmd("CONFIG").arg("GET").arg("maxmemory-policy")).await.ok()?;
        from_redis_value::<Vec<String>>(config).ok()?.into_iter().nth(1)
    }
}

fn ms_number(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
