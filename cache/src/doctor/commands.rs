//! Tries commands, and says what a refusal means.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, cmd};

use super::diagnosis::Finding;
use super::needs::{KEY, NEEDS, Need, Sent, Trial};
use crate::connection::{AnyReply, ErrorReply, SLOW_TIMEOUT, in_time};

/// Gives the command of its arguments the keys that it may touch.
const IN_SCRIPT: &str = "
local words = {}
for i, word in ipairs(ARGV) do
  if word == '@' then words[i] = table.remove(KEYS, 1) else words[i] = word end
end
return redis.call(unpack(words))
";

/// What a trial leaves, where it could not be removed, is gone after so long.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// A place for what is tried.
pub(super) struct Workplace {
    pub(super) connection: MultiplexedConnection,
    /// How its keys begin.
    pub(super) stem: String,
    /// Who asks, as the ACL knows them.
    pub(super) user: String,
}

impl Workplace {
    /// Tries everything that nodes send, and removes what it left.
    pub(super) async fn try_commands(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for need in NEEDS {
            findings.push(self.try_need(need).await);
        }
        self.clear().await;
        findings
    }

    async fn try_need(&mut self, need: &Need) -> Finding {
        let mut refusals = Refusals::default();
        for trial in need.trials {
            if let Err(error) = self.send(&self.command(trial)).await {
                refusals.note(trial, &ErrorReply::read(&error));
            }
            self.limit_life(trial).await;
        }
        if refusals.said.is_empty() {
            return Finding::works(need.subject, format!("{} commands work", need.trials.len()));
        }
        let advice = refusals.advice(&self.user, &self.stem);
        let said = refusals.said.join("; ");
        let finding = match need.without {
            None => Finding::fails(need.subject, said),
            Some(without) => Finding::degrades(need.subject, format!("{said}: {without}")),
        };
        match advice {
            Some(advice) => finding.advise(advice),
            None => finding,
        }
    }

    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<AnyReply> {
        in_time(SLOW_TIMEOUT, command.query_async(&mut self.connection)).await
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.stem)
    }

    fn command(&self, trial: &Trial) -> Cmd {
        match trial.sent {
            Sent::Alone => {
                let mut command = cmd(trial.command());
                for word in &trial.words[1..] {
                    match word.strip_prefix(KEY) {
                        Some(name) => command.arg(self.key(name)),
                        None => command.arg(*word),
                    };
                }
                command
            }
            Sent::InScript => {
                let keys: Vec<_> = trial.words.iter().filter_map(|w| w.strip_prefix(KEY)).collect();
                let mut command = cmd("EVAL");
                command.arg(IN_SCRIPT).arg(keys.len());
                for name in keys {
                    command.arg(self.key(name));
                }
                for word in trial.words {
                    command.arg(if word.starts_with(KEY) { "@" } else { word });
                }
                command
            }
        }
    }

    /// Nothing stays for long where the examination is cut off in the middle.
    async fn limit_life(&mut self, trial: &Trial) {
        let ms = u64::try_from(TIME_TO_LIVE.as_millis()).unwrap_or(u64::MAX);
        for name in trial.words.iter().filter_map(|word| word.strip_prefix(KEY)) {
            // A refusal is found by the trial of PEXPIRE.
            let _ = self.send(cmd("PEXPIRE").arg(self.key(name)).arg(ms)).await;
        }
    }

    /// Removes the keys of all trials. Where UNLINK is refused they end by themselves.
    async fn clear(&mut self) {
        let words = NEEDS.iter().flat_map(|need| need.trials).flat_map(|trial| trial.words);
        let names: BTreeSet<&str> = words.filter_map(|word| word.strip_prefix(KEY)).collect();
        for name in names {
            let _ = self.send(cmd("UNLINK").arg(self.key(name))).await;
        }
    }
}

/// What was refused of one need.
#[derive(Default)]
struct Refusals {
    said: Vec<String>,
    commands: BTreeSet<String>,
    keys: bool,
}

impl Refusals {
    fn note(&mut self, trial: &Trial, reply: &ErrorReply) {
        let way = match trial.sent {
            Sent::Alone => "",
            Sent::InScript => " in a script",
        };
        let said = format!("{}{way}: {reply}", trial.command());
        if !self.said.contains(&said) {
            self.said.push(said);
        }
        if reply.code == "NOPERM" {
            // Redis says it in several ways: "…to access a key", "…can't access at least one of the
            // keys mentioned".
            match reply.message.contains("access") && reply.message.contains("key") {
                true => self.keys = true,
                false => {
                    self.commands.insert(missing_command(trial, &reply.message));
                }
            }
        }
    }

    fn advice(&self, user: &str, stem: &str) -> Option<String> {
        let mut rules: Vec<_> = self.commands.iter().map(|command| format!("+{command}")).collect();
        if self.keys {
            let tag = stem.split('!').next().unwrap_or(stem);
            rules.push(format!("~{tag}*"));
        }
        (!rules.is_empty()).then(|| format!("ACL SETUSER {user} {}", rules.join(" ")))
    }
}

/// What the user may not run, as a rule of an ACL: the command, or all that is about scripts.
fn missing_command(trial: &Trial, message: &str) -> String {
    let named = message.split_once("run the '").and_then(|(_, rest)| rest.split_once('\''));
    match named.map(|(name, _)| name) {
        Some("eval") => "@scripting".to_owned(),
        Some(name) => name.to_owned(),
        None => trial.command().to_lowercase(),
    }
}
