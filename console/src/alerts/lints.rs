use std::cmp::Reverse;

use strata_report::Alert;

use super::view::View;
use super::*;

const LINTS: &[fn(&View<'_>) -> Vec<Alert>] = &[
    fleet::fleet_unheard,
    redis_errors::breaker_open,
    nodes::bus_silent,
    writes::dead_letters,
    expiry::expire_together,
    loads::group_never_hits,
    writes::invalidations_wait,
    expiry::l1_outlives_l2,
    l1_size::l1_too_small,
    loads::loads_fail,
    nodes::node_gone,
    fleet::node_lost,
    fleet::nodes_missing,
    fleet::node_unreadable,
    nodes::nodes_disagree,
    redis_memory::redis_full,
    redis_memory::redis_policy,
    redis_errors::redis_refuses,
    l1_size::room_unused,
    tasks::task_failed,
    fleet::two_processes,
    writes::writes_wait,
];

/// Every alert that this view gives rise to, worst first.
pub(crate) fn all(view: &View<'_>) -> Vec<Alert> {
    let mut alerts: Vec<_> = LINTS.iter().flat_map(|lint| lint(view)).collect();
    alerts.sort_by_key(|alert| Reverse(alert.severity));
    alerts
}
