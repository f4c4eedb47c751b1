//! The demo service on real parts: SQLite files, and redis-server where a test needs L2.

mod commands;
mod comparisons;
mod forgetting;
mod lab;
mod lesson_pages;
mod lessons;
mod lessons_in_depth;
mod measured;
mod seed;
mod site;
mod store;
mod support;
mod trace;
mod traffic;
mod writes;
