//! The console over nodes of another process, as tests script them, and over real nodes.
#![cfg(test)]

mod activity;
mod asked_together;
mod attached;
mod attached_on_redis;
mod audit;
mod dead_letters;
mod elsewhere;
mod imports;
mod invalidations;
mod keys;
mod levels;
mod limits;
mod many_nodes;
mod plans;
mod refresh;
mod stops;
mod support;
mod tasks;
mod tasks_of_a_node;
mod ticks;
mod values;
mod waiting;
mod watching;
