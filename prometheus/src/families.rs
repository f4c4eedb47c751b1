//! The families of nodes and caches: their names, helps and kinds.

use prometheus::proto::MetricType;

/// One metric as Prometheus knows it. Units are in the names; no label ever holds a key.
#[derive(Debug)]
pub struct Family {
    /// Its name, with the unit.
    pub name: &'static str,
    /// What it counts or measures.
    pub help: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricType,
}

/// A counter.
pub const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, help, kind: MetricType::COUNTER }
}

/// A gauge.
pub const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, help, kind: MetricType::GAUGE }
}

/// A histogram.
pub const fn histogram(name: &'static str, help: &'static str) -> Family {
    Family { name, help, kind: MetricType::HISTOGRAM }
}

pub(crate) static REQUESTS: Family =
    counter("cache_requests_total", "Reads by how they ended; the outcomes add up to the reads.");
pub(crate) static GETS: Family = counter(
    "cache_gets_total",
    "Gets asked of one level; one read may ask both, so never add the levels.",
);
pub(crate) static PUTS: Family = counter("cache_puts_total", "Entries that a level accepted.");
pub(crate) static EVICTIONS: Family = counter(
    "cache_evictions_total",
    "Entries removed from L1 by cause; refused (not admitted) is an estimate.",
);
pub(crate) static SIZE: Family = gauge(
    "cache_size",
    "Entries, estimated in L1 of a node, counted from time to time in L2, which nodes share.",
);
pub(crate) static WEIGHT: Family =
    gauge("cache_weight_bytes", "Size of the entries, where they are weighed; an estimate.");
pub(crate) static WEIGHT_MAX: Family =
    gauge("cache_weight_max_bytes", "The most that the entries may weigh.");
pub(crate) static GET_DURATION: Family =
    histogram("cache_get_duration_seconds", "Duration of gets in one level; in L1 a sample.");
pub(crate) static LOADS: Family =
    histogram("cache_loads_seconds", "Duration of loads from the source.");
pub(crate) static INVALIDATIONS: Family = counter(
    "cache_invalidations_total",
    "Invalidations begun on a node (local) or heard by it on the bus.",
);
pub(crate) static BUS_CONNECTED: Family =
    gauge("cache_bus_connected", "1 while the node hears the invalidation bus.");
pub(crate) static BUS_LAG: Family =
    histogram("cache_bus_lag_seconds", "From the bus's clock to the node hearing of it.");
pub(crate) static BUS_MESSAGES: Family =
    counter("cache_bus_messages_total", "Messages on the invalidation bus.");
pub(crate) static BUS_GAPS: Family = counter(
    "cache_bus_gaps_total",
    "Times that messages were or may have been missed; each empties L1 of the caches that they may have been about.",
);
pub(crate) static BREAKER_OPEN: Family =
    gauge("cache_l2_breaker_open", "1 while L2 is skipped because it failed.");

pub(crate) static BUS_SILENT: Family = gauge(
    "cache_bus_silent_seconds",
    "Seconds for which nothing has proved that invalidations arrive at the node; 0 while all is well.",
);
pub(crate) static L2_ERRORS: Family =
    counter("cache_l2_errors_total", "Errors of the node's way to Redis by their code.");
pub(crate) static PANICS: Family = counter(
    "cache_panics_total",
    "Times that code of the keys or values panicked; each cost one operation.",
);
pub(crate) static GAPS: Family = counter(
    "cache_gaps_total",
    "Times that this cache emptied its L1 because it may have missed an invalidation.",
);
pub(crate) static TASK_FAILURES: Family = counter(
    "strata_task_failures_total",
    "Times that a background task panicked or ended before its time; without a node those of the dashboard.",
);
pub(crate) static TASK_RUNNING: Family =
    gauge("strata_task_running", "1 while the background task runs.");

pub(crate) static WRITES_PENDING: Family = gauge(
    "cache_write_behind_pending",
    "Keys whose newest value the source does not have yet; of the durable kind each node tells those of all, so take the largest.",
);
pub(crate) static WRITES_CAPACITY: Family = gauge(
    "cache_write_behind_capacity",
    "Keys that may be unwritten at once, dead letters included; of the durable kind on all nodes.",
);
pub(crate) static WRITES_OLDEST: Family = gauge(
    "cache_write_behind_oldest_seconds",
    "How long the oldest pending write has waited; 0 where none waits.",
);
pub(crate) static DEAD_LETTERS: Family = gauge(
    "cache_write_behind_dead_letters",
    "Acknowledged writes that are set aside and not in effect; of the durable kind each node tells those of all.",
);
pub(crate) static WRITES_FAILING: Family = gauge(
    "cache_write_behind_failing",
    "Rows that the source did not take and that the node will send again.",
);
pub(crate) static WRITES: Family = counter(
    "cache_write_behind_rows_total",
    "Rows by what became of them: accepted is acknowledged, set_aside a dead letter.",
);
pub(crate) static SINK_FAILURES: Family = counter(
    "cache_write_behind_sink_failures_total",
    "Calls to the source that failed, panicked or ran out of time.",
);

pub(crate) static NODES: Family = gauge(
    "strata_nodes",
    "Nodes by how they are: up, late, lost. Counts and gauges are of those that are up or late.",
);

/// Every family of nodes and caches, in the order in which they are written.
pub static ALL: [&Family; 29] = [
    &REQUESTS,
    &GETS,
    &PUTS,
    &EVICTIONS,
    &SIZE,
    &WEIGHT,
    &WEIGHT_MAX,
    &GET_DURATION,
    &LOADS,
    &INVALIDATIONS,
    &BUS_CONNECTED,
    &BUS_LAG,
    &BUS_MESSAGES,
    &BUS_GAPS,
    &BREAKER_OPEN,
    &BUS_SILENT,
    &L2_ERRORS,
    &PANICS,
    &GAPS,
    &TASK_FAILURES,
    &TASK_RUNNING,
    &WRITES_PENDING,
    &WRITES_CAPACITY,
    &WRITES_OLDEST,
    &DEAD_LETTERS,
    &WRITES_FAILING,
    &WRITES,
    &SINK_FAILURES,
    &NODES,
];
