//! Lessons and experiments on the real stack: redis-server, moka, SQLite.

mod commands;
mod comparisons;
mod forgetting;
mod imports;
mod lab;
mod lesson_pages;
mod lessons;
mod lessons_in_depth;
mod measured;
mod support;
