//! Tests the fence and its flights under schedules of shuttle: random ones, by priorities, and
//! every order of small scenes.
//!
//! | file | what |
//! |---|---|
//! | `world` | one cache around the shipped fence: source, L2, L1, and what must hold |
//! | `reading` | a read and its flight, step by step as in `reader`, `l2_lookup`, `key_fill` and `leader` |
//! | `changing` | invalidations and writes, step by step as in `change` |
//! | `every_order` | a scheduler that leaves no order out, up to a number of interruptions |
//! | `schedules` | scenes that must hold, and flaws that must be found |
//!
//! The fence is the code that ships. The rest stands in for parts that cannot run under a
//! scheduler: moka and Redis, each call one step, and the result, a mutex with a condition variable
//! instead of tokio's `SetOnce`. Atomics are sequentially consistent here, so an ordering that is
//! too weak is not noticed.
//!
//! A failure prints its seed. Set `SHUTTLE_RANDOM_SEED` to it and `STRATA_SCHEDULES=1` to run that
//! schedule again. `STRATA_SCHEDULES` sets how many schedules each scene tries.

mod changing;
mod every_order;
mod reading;
mod schedules;
mod world;
