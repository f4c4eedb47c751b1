//! Any input has a defined effect, and does not affect other caches, keys or nodes.

mod every_setting;
mod keys;
mod loads;
mod messages;
mod settings;
mod values;
