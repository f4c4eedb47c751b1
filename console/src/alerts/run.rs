use std::cmp::Reverse;

use strata_report::Alert;

use super::view::View;
use super::*;

const LINTS: [fn(&View<'_>) -> Vec<Alert>; 17] = [
    breaker_open::lint,
    bus_silent::lint,
    dead_letters::lint,
    expire_together::lint,
    group_never_hits::lint,
    invalidations_wait::lint,
    l1_outlives_l2::lint,
    l1_too_small::lint,
    loads_fail::lint,
    node_gone::lint,
    nodes_disagree::lint,
    redis_full::lint,
    redis_policy::lint,
    redis_refuses::lint,
    room_unused::lint,
    task_failed::lint,
    writes_wait::lint,
];

/// Everything that is the matter, worst first.
pub(crate) fn all(view: &View<'_>) -> Vec<Alert> {
    let mut alerts: Vec<_> = LINTS.iter().flat_map(|lint| lint(view)).collect();
    alerts.sort_by_key(|alert| Reverse(alert.severity));
    alerts
}
