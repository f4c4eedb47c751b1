use std::collections::HashMap;
use std::time::Instant;

use redis::{RedisResult, cmd, pipe};
use strata_report::{RedisServer, SlowCommand};

use super::link::{Away, Link};
use super::step::Step;
use crate::clock::now_ms;
use crate::script::script_name;

const SLOW_COMMANDS: usize = 32;

/// An entry of the slow log: id, when, how long, arguments, client's address and name.
type Slow = (u64, u64, u64, Vec<Vec<u8>>, String, String);

impl Link {
    /// What Redis counts about itself. A server that keeps no slow log, or lets nobody read it,
    /// has an empty one.
    pub(crate) async fn server(&self) -> Result<RedisServer, Away> {
        let began = Instant::now();
        let pinging = self.call_slow(Step::Inspect, |mut connection| async move {
            cmd("PING").query_async::<String>(&mut connection).await
        });
        pinging.await?;
        let ping_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let asking = self.call_slow(Step::Inspect, |mut connection| async move {
            let mut ask = pipe();
            for section in ["server", "clients", "memory", "stats"] {
                ask.cmd("INFO").arg(section);
            }
            ask.cmd("DBSIZE");
            let answer: RedisResult<(String, String, String, String, u64)> =
                ask.query_async(&mut connection).await;
            answer
        });
        let (server, clients, memory, stats, keys) = asking.await?;
        let fields: HashMap<&str, &str> = [&server, &clients, &memory, &stats]
            .into_iter()
            .flat_map(|section| section.lines())
            .filter_map(|line| line.split_once(':'))
            .collect();
        let number = |name: &str| fields.get(name).and_then(|text| text.trim().parse().ok());
        let kilobytes = |name: &str| {
            let text = fields.get(name).and_then(|text| text.trim().parse::<f64>().ok());
            text.map_or(0, |kilobytes| (kilobytes * 1_024.0) as u64)
        };
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
            slow_log: self.slow_log().await.unwrap_or_default(),
        })
    }

    async fn slow_log(&self) -> Result<Vec<SlowCommand>, Away> {
        let slow: Vec<Slow> = self
            .call_slow(Step::Inspect, |mut connection| async move {
                let mut get = cmd("SLOWLOG");
                get.arg("GET").arg(SLOW_COMMANDS);
                get.query_async(&mut connection).await
            })
            .await?;
        Ok(slow.into_iter().map(slow_command).collect())
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
