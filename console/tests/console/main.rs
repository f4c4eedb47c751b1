//! The console over nodes of another process, as tests script them, and over real nodes.
#![cfg(test)]

mod invalidations;
mod levels;
mod support;
mod ticks;
