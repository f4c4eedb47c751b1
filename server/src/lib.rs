//! Runs Strata: the demo service, the console's HTTP interface and the dashboard, on axum.

// Who imports whom: only from a line above. `tests/routes/imports.rs` checks it.
//
// - http
// - log
// - serving
// - config
// - private_redis
// - assets
// - metrics
// - access
// - state
// - pages
// - routes
// - program
// - commands
// - main

mod access;
mod assets;
mod commands;
mod config;
mod http;
mod log;
mod metrics;
mod pages;
mod private_redis;
mod program;
mod routes;
mod serving;
mod state;

pub use commands::{completions, man_page, run_doctor, run_health, run_purge};
pub use config::{
    Cli, Command, ConfigError, DemoFlags, DemoNodeFlags, DoctorFlags, HealthFlags, PublicUrl,
    PurgeFlags, RedisChoice, RedisFlags, RedisLogin, Secret, ServeFlags, ServeSettings, Settings,
    TrafficMode, settings_file, tell_unknown_variables,
};
pub use log::{Log, LogFormat, log_to_stderr};
pub use private_redis::{PrivateRedis, PrivateRedisError};
pub use program::{Demo, Serve, announce, run_demo, run_demo_node, run_serve};
pub use routes::{Route, RouteKind};
pub use serving::{Network, ServingLimits};
