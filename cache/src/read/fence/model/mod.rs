//! The fence and its flights under schedules of shuttle: at random, by priorities, and where a scene
//! is small in every order.
//!
//! | file | what |
//! |---|---|
//! | `world` | one cache around the shipped fence: source, L2, L1, and what must hold |
//! | `reading` | a read and its flight, step by step as in `reader`, `l2_lookup`, `key_fill` and `leader` |
//! | `changing` | invalidations and writes, step by step as in `change` |
//! | `every_order` | a scheduler that leaves no order out, up to a number of interruptions |
//! | `schedules` | scenes that must hold, and flaws that must be found |
//!
//! The fence is the very code that ships. The rest stands for parts that cannot run under a
//! scheduler: moka and Redis, each call one step, and the result, a mutex with a condition
//! variable instead of tokio's `SetOnce`. Atomics are sequentially consistent here, so an ordering
//! that is too weak goes unnoticed.
//!
//! A failure prints its seed; `SHUTTLE_RANDOM_SEED` with that seed and `STRATA_SCHEDULES=1` run
//! that schedule again. `STRATA_SCHEDULES` sets how many each scene tries.

mod changing;
mod every_order;
mod reading;
mod schedules;
mod world;
