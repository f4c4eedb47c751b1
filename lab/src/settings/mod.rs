//! What an experiment runs with, and how forms and addresses name it.
//! Public: [`Settings`] and why settings are refused.

mod by_name;
mod values;

pub use values::{Settings, SettingsError};
