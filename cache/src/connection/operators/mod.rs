//! What operators ask of Redis, on a connection of its own and within a share of Redis's time, so that
//! looking slows no read of the service.

mod budget;
mod call;
mod other_runtimes;

pub(super) use budget::OperatorConnections;
