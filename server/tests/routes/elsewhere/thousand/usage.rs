//! What processes use of the machine, by the kernel's account.

use std::fs;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Ticks a second in the files of /proc.
const TICKS_PER_S: f64 = 100.0;

/// Seconds of processors that a process has used.
fn processor_s(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name, which may hold anything, in brackets.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

/// Resident memory, MB.
pub(super) fn resident_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

/// The shares of a core that processes use during `span`, percent, in their order.
pub(super) async fn shares_of_a_core<const N: usize>(pids: [u32; N], span: Duration) -> [f64; N] {
    let before = pids.map(processor_s);
    let began = Instant::now();
    sleep(span).await;
    let took_s = began.elapsed().as_secs_f64();
    let after = pids.map(processor_s);
    std::array::from_fn(|n| (after[n] - before[n]) * 100.0 / took_s)
}
