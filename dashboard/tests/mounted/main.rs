//! A dashboard among the paths of an application, asked as its clients ask it.

#![expect(clippy::unwrap_used, reason = "what a helper cannot have fails its test")]

mod access;
mod base_path;
mod fleet;
mod imports;
mod life;
mod moka_only;
mod pages;
mod streams;
mod support;
