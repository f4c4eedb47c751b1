//! Whatever is passed in has a defined effect, and no other cache, key or node pays for it.

mod every_setting;
mod keys;
mod loads;
mod messages;
mod settings;
mod values;
