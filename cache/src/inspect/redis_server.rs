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

    fn own(words: &[&str]) -> bool {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        is_own("shop-1", &words)
    }

    #[test]
    fn commands_of_others_and_those_without_a_key_are_not_told() {
        for words in [
            &["GET", "{shop-1}:users:42"][..],
            &["XADD", "{shop-1}!bus", "*", "k", "v"],
            &["XREAD", "COUNT", "100", "BLOCK", "500", "STREAMS", "{shop-1}!bus", "7-0"],
            &["xreadgroup", "GROUP", "g", "c", "streams", "{shop-1}!writes", ">"],
            &["XREVRANGE", "{shop-1}!bus:beat", "+", "-", "COUNT", "1"],
            &["XGROUP", "CREATE", "{shop-1}!writes", "g", "0"],
            &["EVALSHA", "5f0c", "2", "{shop-1}:users:42", "{shop-1}!bus"],
            &["scan", "0", "MATCH", "{shop\\-1}:*", "COUNT", "1000"],
        ] {
            assert!(own(words), "{words:?}");
        }
        for words in [
            &["GET", "{shop-12}:users:42"][..],
            &["GET", "other:{shop-1}:users:42"],
            &["SET", "other", "{shop-1}:users:42"],
            &["EVAL", "return '{shop-1}:'", "1", "other"],
            &["XREAD", "COUNT", "100", "STREAMS", "other", "{shop-1}!bus"],
            &["XREAD", "COUNT", "100", "STREAMS"],
            &["XGROUP", "CREATE", "other", "{shop-1}!writes", "0"],
            &["SCAN", "0", "MATCH", "*"],
            &["KEYS", "*"],
            &["INFO"],
            &[],
        ] {
            assert!(!own(words), "{words:?}");
        }
    }

    #[test]
    fn what_strata_itself_looks_through_is_told_apart() {
        let looking = |words: &[&str]| {
            let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            slow_command((1, 2, 3, words, String::new(), String::new())).looking
        };
        assert!(looking(&["SCAN", "0", "MATCH", "{shop}:*"]));
        assert!(!looking(&["GET", "{shop}:users:42"]));
    }

    #[test]
    fn what_is_no_script_of_ours_is_told_as_it_is_without_a_value() {
        assert_eq!(told(&["EVALSHA", "5f0c", "1", "key"]), "EVALSHA 5f0c");
        assert_eq!(told(&["SET", "key", "secret"]), "SET key");
        assert_eq!(told(&["PING"]), "PING");
        let read = ["XREAD", "COUNT", "100", "STREAMS", "{shop}!bus", "7-0"];
        assert_eq!(told(&read), "XREAD {shop}!bus");
    }
}

use std::collections::HashMap;
use std::time::Instant;

use redis::cmd;
use strata_report::{RedisServer, RedisState, SlowCommand};

use super::script_names::script_name;
use crate::clock::now_ms;
use crate::connection::{CallError, Link};
use crate::pattern::escape;

impl Link {
    /// The state of Redis. If an ACL allows only its version, the state has no more.
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

/// How many slow commands are requested. Other applications' commands may be among them.
const SLOW_COMMANDS: usize = 128;

/// How many slow commands of this namespace are reported.
const TOLD: usize = 32;

/// An entry of the slow log: id, when, how long, arguments, client's address and name.
type Slow = (u64, u64, u64, Vec<Vec<u8>>, String, String);

impl Link {
    /// Redis's statistics about itself. Commands that Redis refuses are listed by name.
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
        let ((slow_log, slow_log_others), slow_log_refused) = told_apart(self.slow_log().await)?;
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
            slow_log_others,
            info_refused,
            slow_log_refused,
        })
    }

    /// The newest slow commands about keys of this namespace, and the number of others. Other
    /// applications' commands on a shared Redis are not shown.
    async fn slow_log(&self) -> Result<(Vec<SlowCommand>, u64), CallError> {
        let mut get = cmd("SLOWLOG");
        get.arg("GET").arg(SLOW_COMMANDS);
        let slow: Vec<Slow> = self.inspect(&get).await?;
        let n_slow = slow.len();
        let namespace = self.bus.namespace();
        let own = slow.into_iter().filter(|(_, _, _, words, ..)| is_own(namespace, words));
        let own: Vec<_> = own.map(slow_command).collect();
        let n_others = (n_slow - own.len()) as u64;
        Ok((own.into_iter().take(TOLD).collect(), n_others))
    }
}

/// The answer. If the command was refused: an empty answer, and the reason.
fn told_apart<T: Default>(answer: Result<T, CallError>) -> Result<(T, Option<String>), CallError> {
    match answer {
        Ok(answer) => Ok((answer, None)),
        Err(CallError::Refused(why)) => Ok((T::default(), Some(why.to_string()))),
        Err(CallError::Away) => Err(CallError::Away),
    }
}

/// Whether a command is about keys of this namespace. A command without a key is not.
fn is_own(namespace: &str, words: &[Vec<u8>]) -> bool {
    let begins = |prefix: String| {
        move |word: &Vec<u8>| {
            let rest = word.strip_prefix(prefix.as_bytes());
            rest.is_some_and(|rest| matches!(rest.first(), Some(b':' | b'!')))
        }
    };
    let is_key = begins(format!("{{{namespace}}}"));
    let is_glob = begins(escape(&format!("{{{namespace}}}")));
    let Some((command, arguments)) = words.split_first() else { return false };
    let is = |name: &str| command.eq_ignore_ascii_case(name.as_bytes());
    if is("SCAN") {
        return arguments.iter().skip(2).any(is_glob);
    }
    first_key(words).is_some_and(is_key)
}

/// The first key of a command, if it has one.
fn first_key(words: &[Vec<u8>]) -> Option<&Vec<u8>> {
    let (command, arguments) = words.split_first()?;
    let is_of =
        |names: &[&str]| names.iter().any(|name| command.eq_ignore_ascii_case(name.as_bytes()));
    if is_of(&["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"]) {
        // The arguments are a script's text or hash, the number of its keys, and then the keys.
        return arguments.get(2);
    }
    if is_of(&["XREAD", "XREADGROUP"]) {
        // The options COUNT and BLOCK come first, then the streams.
        let streams = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"STREAMS");
        return arguments.get(arguments.iter().position(streams)? + 1);
    }
    if is_of(&["XGROUP", "XINFO", "MEMORY", "OBJECT"]) {
        return arguments.get(1);
    }
    arguments.first()
}

/// Whether it is a step of a walk, a search or a count, for which no reader waits.
fn is_looking(command: &str) -> bool {
    const LOOKING: [&str; 3] = ["SCAN", "STRLEN", "GETRANGE"];
    LOOKING.iter().any(|name| command.eq_ignore_ascii_case(name))
}

fn slow_command((_, at_s, took_us, words, _, _): Slow) -> SlowCommand {
    // Arguments after the key may be values, and a script's text explains nothing.
    let is_read = words.first().is_some_and(|command| {
        [&b"XREAD"[..], b"XREADGROUP"].iter().any(|read| command.eq_ignore_ascii_case(read))
    });
    let key = if is_read { first_key(&words) } else { words.get(1) };
    let mut words: Vec<_> =
        words.first().into_iter().chain(key).map(|word| String::from_utf8_lossy(word)).collect();
    if let [command, sha1] = words.as_mut_slice()
        && command.eq_ignore_ascii_case("EVALSHA")
        && let Some(name) = script_name(sha1)
    {
        *sha1 = name.into();
    }
    let looking = words.first().is_some_and(|command| is_looking(command));
    let mut command = words.join(" ");
    command.truncate(command.floor_char_boundary(120));
    SlowCommand { at_ms: at_s * 1_000, took_us, command, looking }
}
