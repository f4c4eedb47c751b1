//! Runs Strata: the demo service, the console's HTTP interface and the dashboard, on axum.

mod assets;
mod commands;
mod config;
mod error;
mod extract;
mod guard;
mod hosts;
mod limits;
mod log;
mod low_priority;
mod metrics;
mod observe;
mod openapi;
mod origin;
mod page;
mod plain;
mod private_redis;
mod request_log;
mod route_table;
mod router;
mod routes;
mod run;
mod security;
mod serving;
mod shutdown;
mod source;
mod startup;
mod state;
mod strangers;
mod table;

pub use commands::{completions, man_page, run_doctor, run_health, run_purge};
pub use config::{
    Cli, Command, ConfigError, DemoFlags, DoctorFlags, HealthFlags, Network, PublicUrl, PurgeFlags,
    RedisChoice, RedisFlags, Secret, Settings, TrafficMode, settings_file, tell_unknown_variables,
};
pub use log::{Log, LogFormat, log_to_stderr};
pub use private_redis::{PrivateRedis, PrivateRedisError};
pub use route_table::{Route, RouteKind};
pub use run::{announce, run_demo};
pub use serving::ServingLimits;
pub use startup::Demo;
