use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Ticks a second in the files of /proc, on every platform that Linux is common on.
const TICKS_PER_S: f64 = 100.0;

/// What the system knows of this process. What it does not tell, as where there is no /proc, is
/// `None`.
#[derive(Debug, Default)]
pub(super) struct ProcessState {
    pub(super) start_time_s: Option<f64>,
    pub(super) cpu_s: f64,
    pub(super) resident_bytes: Option<u64>,
    pub(super) virtual_bytes: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) open_fds: Option<u64>,
    pub(super) max_fds: Option<u64>,
}

impl ProcessState {
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |name| number_after(&status, name).map(|kib| kib * 1_024);
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Self {
            start_time_s: start_time_s(),
            cpu_s: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            resident_bytes: bytes("VmRSS:"),
            virtual_bytes: bytes("VmSize:"),
            threads: number_after(&status, "Threads:"),
            // The descriptor that lists them is one of them.
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|fds| fds.count() as u64 - 1),
            max_fds: getrlimit(Resource::Nofile).current,
        }
    }
}

fn start_time_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // After the name, which may hold anything, in brackets.
    let ticks = stat.rsplit(')').next()?.split_whitespace().nth(19)?.parse::<f64>().ok()?;
    let booted_s = number_after(&fs::read_to_string("/proc/stat").ok()?, "btime ")?;
    Some(booted_s as f64 + ticks / TICKS_PER_S)
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_system_tells_what_this_process_is() {
        let state = ProcessState::read();
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let start_s = state.start_time_s.unwrap();
        assert!(start_s > now_s - 3_600.0 && start_s <= now_s + 2.0, "{start_s} of {now_s}");
        assert!(state.cpu_s > 0.0);
        assert!(state.resident_bytes.unwrap() > 1_000_000);
        assert!(state.virtual_bytes >= state.resident_bytes);
        assert!(state.threads.unwrap() >= 1);
        assert!((3..=state.max_fds.unwrap()).contains(&state.open_fds.unwrap()));
    }
}
