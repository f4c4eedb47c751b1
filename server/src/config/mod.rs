//! What `strata` is told: flags, then variables, then a file; secrets from files of their own.

mod file;
mod flags;
mod listen;
mod named_redis;
mod one_or_more;
mod redis_login;
mod secret;
mod secrets;
mod serve_flags;
mod serve_settings;
mod settings;
mod short;
mod variables;

pub use file::settings_file;
pub use flags::{Cli, Command, DemoFlags, RedisChoice, TrafficMode};
pub use named_redis::{NamedRedis, WantedService};
pub use redis_login::RedisLogin;
pub use secret::Secret;
pub use serve_flags::ServeFlags;
pub use serve_settings::ServeSettings;
pub use settings::{ConfigError, Settings};
pub use short::{DemoNodeFlags, DoctorFlags, HealthFlags, PurgeFlags, RedisFlags};
pub use variables::tell_unknown_variables;
