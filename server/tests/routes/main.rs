//! The program's paths, asked as a client asks them; one file for each group of routes.

#![expect(clippy::unwrap_used, reason = "what a helper cannot have fails its test")]

mod api;
mod audit;
mod bad_input;
mod base_path;
mod commands;
mod comparisons;
mod console;
mod demo;
mod doors;
mod elsewhere;
mod events;
mod health;
mod http_client;
mod imports;
mod lab;
mod limits;
mod log_in;
mod logs;
mod metrics;
mod one_file;
mod pages;
mod private_redis;
mod program;
mod proxies;
mod secrets;
mod security;
mod serving;
mod set_clock;
mod soak;
mod stops;
mod support;
mod tasks;
mod unread_log;
mod words;
