//! Runs Strata: the demo service, the console's HTTP interface and the dashboard, on axum.

mod assets;
mod config;
mod error;
mod extract;
mod limits;
mod log;
mod metrics;
mod openapi;
mod page;
mod private_redis;
mod request_log;
mod router;
mod routes;
mod run;
mod security;
mod shutdown;
mod source;
mod startup;
mod state;
mod table;

pub use config::{Cli, Command, ConfigError, DemoFlags, RedisChoice, Settings, TrafficMode};
pub use log::{Log, log_to_stderr};
pub use private_redis::{PrivateRedis, PrivateRedisError};
pub use run::run_demo;
pub use startup::Demo;
