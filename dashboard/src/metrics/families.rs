//! The families of the program.

use strata_prometheus::Family;
use strata_prometheus::families::{counter, gauge};

pub(super) static BUILD_INFO: Family =
    gauge("strata_build_info", "Always 1; the version is in the label.");
pub(super) static CONNECTIONS: Family =
    gauge("strata_connections", "Open HTTP connections, but for those held for health checks.");
pub(super) static CONNECTIONS_MAX: Family =
    gauge("strata_connections_max", "The most HTTP connections that may be open.");
pub(super) static STREAMS: Family = gauge("strata_event_streams", "Open live streams.");
pub(super) static JOBS: Family =
    gauge("strata_jobs_running", "Invalidations and runs over dead letters that have not ended.");
pub(super) static AUDIT_UNWRITTEN: Family = gauge(
    "strata_audit_unwritten_entries",
    "Entries of the audit trail that are in memory alone; Redis does not have them yet.",
);
pub(super) static START_TIME: Family =
    gauge("process_start_time_seconds", "When the process started, seconds since the epoch.");
pub(super) static CPU: Family =
    counter("process_cpu_seconds_total", "Time of processors that the process has used.");
pub(super) static RESIDENT: Family =
    gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.");
pub(super) static VIRTUAL: Family =
    gauge("process_virtual_memory_bytes", "Memory that the process has addresses for.");
pub(super) static THREADS: Family = gauge("process_threads", "Threads of the process.");
pub(super) static OPEN_FDS: Family = gauge("process_open_fds", "Open file descriptors.");
pub(super) static MAX_FDS: Family =
    gauge("process_max_fds", "The most file descriptors that may be open.");
