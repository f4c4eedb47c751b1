//! Commands of the program that end by themselves: `doctor`, `purge`, `health`, `completions`, `man`.

mod doctor;
mod health;
mod pages;
mod purge;

pub use doctor::run_doctor;
pub use health::run_health;
pub use pages::{completions, man_page};
pub use purge::run_purge;
