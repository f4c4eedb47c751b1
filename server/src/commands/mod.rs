//! Commands of the program that end by themselves: `doctor`, `purge`, `health`, `completions`, `man`.

mod doctor;
mod health;
mod manual;
mod purge;

pub use doctor::run_doctor;
pub use health::run_health;
pub use manual::{completions, man_page};
pub use purge::run_purge;
