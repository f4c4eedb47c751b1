mod file;
mod flags;
mod settings;

pub use flags::{Cli, Command, DemoFlags, RedisChoice, TrafficMode};
pub use settings::{ConfigError, Settings};
