//! The demo service on real parts: SQLite files, and redis-server where a test needs L2.

mod imports;
mod seed;
mod site;
mod store;
mod support;
mod trace;
mod traffic;
mod writes;
