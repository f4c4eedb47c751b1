//! What `strata` is told: flags, then variables, then a file; secrets from files of their own.

mod file;
mod flags;
mod listen;
mod public_url;
mod secret;
mod secrets;
mod settings;
mod site;
mod variables;

pub use file::settings_file;
pub use flags::{
    Cli, Command, DemoFlags, DoctorFlags, HealthFlags, PurgeFlags, RedisChoice, RedisFlags,
    TrafficMode,
};
pub use public_url::PublicUrl;
pub use secret::Secret;
pub use settings::{ConfigError, Settings};
pub use variables::tell_unknown_variables;
