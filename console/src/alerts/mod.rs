//! What an operator should look at, worked out from the reports: one lint a file, each a pure
//! function. [`all`] runs them.

mod advice;
mod breaker_open;
mod bus_silent;
mod dead_letters;
mod expire_together;
mod group_never_hits;
mod invalidations_wait;
mod l1_outlives_l2;
mod l1_too_small;
mod loads_fail;
mod node_gone;
mod nodes_disagree;
mod redis_full;
mod redis_policy;
mod redis_refuses;
mod room_unused;
mod run;
mod task_failed;
mod view;
mod writes_wait;

pub(crate) use run::all;
pub(crate) use task_failed::of_program;
pub(crate) use view::View;
