//! The console over nodes of another process, as tests script them, and over real nodes.
#![cfg(test)]

mod activity;
mod asked_together;
mod attached;
mod attached_on_redis;
mod audit;
mod dead_letters;
mod dead_letters_elsewhere;
mod elsewhere;
mod fan_out;
mod imports;
mod invalidations;
mod keys;
mod levels;
mod limits;
mod many_nodes;
mod plans;
mod refresh;
mod refresh_elsewhere;
mod stops;
mod support;
mod tasks;
mod tasks_of_a_node;
mod ticks;
mod values;
mod waiting;
mod watched_keys;
mod watching;
