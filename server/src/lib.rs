//! The program `strata`: the dashboard with connections, settings and a log, and the demo service.

// Who imports whom: only from a line above. `tests/routes/imports.rs` checks it.
//
// - log
// - serving
// - config
// - private_redis
// - routes
// - program
// - commands
// - main

mod commands;
mod config;
mod log;
mod private_redis;
mod program;
mod routes;
mod serving;

pub use commands::{completions, man_page, run_doctor, run_health, run_purge};
pub use config::{
    Cli, Command, ConfigError, DemoFlags, DemoNodeFlags, DoctorFlags, HealthFlags, NamedRedis,
    PurgeFlags, RedisChoice, RedisFlags, RedisLogin, Secret, ServeFlags, ServeSettings, Settings,
    TrafficMode, WantedService, settings_file, tell_unknown_variables,
};
pub use log::{Log, LogFormat, log_to_stderr};
pub use private_redis::{PrivateRedis, PrivateRedisError};
pub use program::{Demo, Serve, announce, run_demo, run_demo_node, run_serve};
pub use serving::ServingLimits;
pub use strata_dashboard::program::{Network, PublicUrl, Route, RouteKind};
