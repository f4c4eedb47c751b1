//! What Redis counts about itself, its slow log included.

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;
    use crate::l2::SCRIPTS;

    fn told(words: &[&str]) -> String {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        slow_command((1, 2, 3, words, String::new(), String::new())).command
    }

    #[test]
    fn a_slow_script_is_told_by_its_name() {
        for (name, script) in SCRIPTS {
            assert_eq!(
                told(&["EVALSHA", script.get_hash(), "1", "key"]),
                format!("EVALSHA {name}")
            );
        }
    }

    #[test]
    fn what_is_no_script_of_ours_is_told_as_it_is_without_a_value() {
        assert_eq!(told(&["EVALSHA", "5f0c", "1", "key"]), "EVALSHA 5f0c");
        assert_eq!(told(&["SET", "key", "secret"]), "SET key");
        assert_eq!(told(&["PING"]), "PING");
    }
}

use std::collections::HashMap;
use std::time::Instant;

use redis::cmd;
use strata_report::{RedisServer, RedisState, SlowCommand};

use super::script_names::script_name;
use crate::clock::now_ms;
use crate::connection::{CallError, Link};

impl Link {
    /// What Redis says of itself. Where it may not be asked for more than its version, it says no
    /// more.
    pub(crate) async fn redis_state(&self) -> RedisState {
        let configured = RedisState { configured: true, ..RedisState::default() };
        let asked = self.inspect::<String>(cmd("INFO").arg("memory")).await;
        let memory = match asked {
            Ok(memory) => memory,
            Err(CallError::Refused(_)) => String::new(),
            Err(CallError::Away) => return configured,
        };
        let field =
            |name: &str| memory.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
        RedisState {
            up: true,
            version: self.state().server.clone().map(|server| server.version),
            used_memory_bytes: number("used_memory:"),
            max_memory_bytes: number("maxmemory:").filter(|max| *max > 0),
            policy: field("maxmemory_policy:"),
            ..configured
        }
    }
}

const SLOW_COMMANDS: usize = 32;

/// An entry of the slow log: id, when, how long, arguments, client's address and name.
type Slow = (u64, u64, u64, Vec<Vec<u8>>, String, String);

impl Link {
    /// What Redis counts about itself. What it lets nobody read is told by name.
    pub(crate) async fn server(&self) -> Result<RedisServer, CallError> {
        let began = Instant::now();
        self.inspect::<String>(&cmd("PING")).await?;
        let ping_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (info, info_refused) = told_apart(self.inspect::<String>(&cmd("INFO")).await)?;
        let fields: HashMap<&str, &str> =
            info.lines().filter_map(|line| line.split_once(':')).collect();
        let number = |name: &str| fields.get(name).and_then(|text| text.trim().parse().ok());
        let kilobytes = |name: &str| {
            let text = fields.get(name).and_then(|text| text.trim().parse::<f64>().ok());
            text.map_or(0, |kilobytes| (kilobytes * 1_024.0) as u64)
        };
        let (keys, _) = told_apart(self.inspect::<u64>(&cmd("DBSIZE")).await)?;
        let (slow_log, slow_log_refused) = told_apart(self.slow_log().await)?;
        Ok(RedisServer {
            at_ms: now_ms(),
            ping_us,
            uptime_s: number("uptime_in_seconds").unwrap_or(0),
            used_memory_peak_bytes: number("used_memory_peak"),
            evicted_keys: number("evicted_keys").unwrap_or(0),
            expired_keys: number("expired_keys").unwrap_or(0),
            ops_per_s: number("instantaneous_ops_per_sec").unwrap_or(0),
            clients: number("connected_clients").unwrap_or(0),
            blocked_clients: number("blocked_clients").unwrap_or(0),
            keys,
            input_bytes_per_s: kilobytes("instantaneous_input_kbps"),
            output_bytes_per_s: kilobytes("instantaneous_output_kbps"),
            slow_log,
            info_refused,
            slow_log_refused,
        })
    }

    async fn slow_log(&self) -> Result<Vec<SlowCommand>, CallError> {
        let mut get = cmd("SLOWLOG");
        get.arg("GET").arg(SLOW_COMMANDS);
        let slow: Vec<Slow> = self.inspect(&get).await?;
        Ok(slow.into_iter().map(slow_command).collect())
    }
}

/// What was answered; nothing, and why, where it was refused.
fn told_apart<T: Default>(answer: Result<T, CallError>) -> Result<(T, Option<String>), CallError> {
    match answer {
        Ok(answer) => Ok((answer, None)),
        Err(CallError::Refused(why)) => Ok((T::default(), Some(why.to_string()))),
        Err(CallError::Away) => Err(CallError::Away),
    }
}

fn slow_command((_, at_s, took_us, words, _, _): Slow) -> SlowCommand {
    // What follows the key may be a value, and a script's text says nothing.
    let mut words: Vec<_> =
        words.iter().take(2).map(|word| String::from_utf8_lossy(word)).collect();
    if let [command, sha1] = words.as_mut_slice()
        && command.eq_ignore_ascii_case("EVALSHA")
        && let Some(name) = script_name(sha1)
    {
        *sha1 = name.into();
    }
    let mut command = words.join(" ");
    command.truncate(command.floor_char_boundary(120));
    SlowCommand { at_ms: at_s * 1_000, took_us, command }
}
