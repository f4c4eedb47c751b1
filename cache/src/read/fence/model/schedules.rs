use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use super::changing::Change;
use super::every_order::EveryOrder;
use super::world::{Flaw, N_KEYS, Source, World};

/// A scene: threads that act at the same time. Each of them may run at any moment.
type Scene = fn(Option<Flaw>);

fn run(scheduler: impl Scheduler + 'static, scene: Scene, flaw: Option<Flaw>) -> usize {
    let mut config = Config::new();
    config.silence_warnings = true;
    // A read needs little stack, and each thread of each schedule gets one.
    config.stack_size = 64 * 1024;
    Runner::new(scheduler, config).run(move || scene(flaw))
}

fn n_schedules() -> usize {
    let count = std::env::var("STRATA_SCHEDULES").ok().and_then(|text| text.parse().ok());
    count.unwrap_or(6_000)
}

/// Tries half of the schedules at random, half by priorities that change three times, which finds
/// rare orders sooner.
fn holds_in_many(scene: Scene) {
    let count = n_schedules();
    run(RandomScheduler::new(count.div_ceil(2)), scene, None);
    run(PctScheduler::new(3, count / 2), scene, None);
}

/// Tries every order with at most four interruptions.
fn holds_in_all(scene: Scene) {
    let count = run(EveryOrder::with_preemptions(4), scene, None);
    println!("{count} schedules are all there are");
}

/// Uses a fixed seed, so the model finds the flaw in the same schedule each time.
fn is_found(scene: Scene, flaw: Flaw) {
    let search = || run(RandomScheduler::new_from_seed(1, 5_000), scene, Some(flaw));
    let failures = [(); 2].map(|()| {
        let failure = catch_unwind(AssertUnwindSafe(search)).expect_err("the flaw was not found");
        match failure.downcast::<String>() {
            Ok(formatted) => *formatted,
            Err(other) => other.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
        }
    });
    assert_eq!(failures[0], failures[1], "the same seed, another failure");
    println!("{flaw:?}: {}", failures[0]);
}

// Scenes that use chance.

fn everybody(world: World) {
    let world = world.holding(thread_rng().r#gen());
    for _ in 0..3 {
        let own = Arc::clone(&world);
        world.spawn(move || {
            for _ in 0..2 {
                let key = thread_rng().gen_range(0..N_KEYS);
                match thread_rng().gen_range(0..4) {
                    0 => own.read_ahead(key),
                    _ => own.read(key),
                };
            }
        });
    }
    for _ in 0..2 {
        let own = Arc::clone(&world);
        world.spawn(move || {
            own.change(thread_rng().gen_range(0..N_KEYS), Change::any());
        });
    }
    world.settle();
}

fn everybody_on_l1(flaw: Option<Flaw>) {
    everybody(World::new(Source::Any).detached().with(flaw));
}

fn everybody_on_both_levels(flaw: Option<Flaw>) {
    everybody(World::new(Source::Any).detached().with(flaw).with_l2());
}

// Small scenes without chance. They begin in the main thread, which also reads.

fn beside(world: &Arc<World>, change: Change) {
    let own = Arc::clone(world);
    world.spawn(move || own.change(0, change));
}

fn a_read_beside_an_invalidation(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw));
    beside(&world, Change::Invalidate);
    world.read(0);
    world.settle();
}

fn a_read_beside_an_invalidation_on_both_levels(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw).with_l2_full());
    beside(&world, Change::Invalidate);
    world.read(0);
    world.settle();
}

fn a_read_beside_a_raised_epoch(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw));
    beside(&world, Change::RaiseEpoch);
    world.read(0);
    world.settle();
}

fn a_read_beside_a_write(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw));
    beside(&world, Change::Write);
    world.read(0);
    world.settle();
}

fn two_writes(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw));
    beside(&world, Change::Write);
    world.change(0, Change::Write);
    world.settle();
}

fn two_reads(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Answers).with(flaw));
    let own = Arc::clone(&world);
    world.spawn(move || {
        own.read(0);
    });
    world.read(0);
    world.settle();
}

fn two_reads_of_a_flight_that_vanishes(flaw: Option<Flaw>) {
    let world = Arc::new(World::new(Source::Vanishes).with(flaw));
    let own = Arc::clone(&world);
    world.spawn(move || {
        own.read(0);
    });
    world.read(0);
    world.settle();
}

fn a_failing_load_of_a_stale_entry_beside_an_invalidation(flaw: Option<Flaw>) {
    let world = World::new(Source::Fails).with(flaw).holding(false);
    beside(&world, Change::Invalidate);
    world.read(0);
    world.settle();
}

fn a_failing_refresh_beside_an_invalidation(flaw: Option<Flaw>) {
    let world = World::new(Source::Fails).with(flaw).holding(true);
    beside(&world, Change::Invalidate);
    world.read_ahead(0);
    world.settle();
}

mod model {
    use super::*;

    #[test]
    fn no_read_is_older_than_what_was_acknowledged_and_each_is_answered() {
        holds_in_many(everybody_on_l1);
    }

    #[test]
    fn nor_with_l2_below() {
        holds_in_many(everybody_on_both_levels);
    }

    #[test]
    fn a_read_may_meet_an_invalidation_at_any_step() {
        holds_in_all(a_read_beside_an_invalidation);
    }

    #[test]
    fn a_read_that_finds_l2_full_may_meet_an_invalidation_at_any_step() {
        holds_in_all(a_read_beside_an_invalidation_on_both_levels);
    }

    #[test]
    fn a_read_may_meet_a_raised_epoch_at_any_step() {
        holds_in_all(a_read_beside_a_raised_epoch);
    }

    #[test]
    fn a_read_may_meet_a_write_at_any_step() {
        holds_in_all(a_read_beside_a_write);
    }

    #[test]
    fn a_write_may_meet_a_write_at_any_step() {
        holds_in_all(two_writes);
    }

    #[test]
    fn two_reads_share_one_flight_whatever_their_order() {
        holds_in_all(two_reads);
    }

    #[test]
    fn those_who_wait_for_a_flight_that_vanishes_are_answered() {
        holds_in_all(two_reads_of_a_flight_that_vanishes);
    }

    #[test]
    fn what_stands_in_for_a_failing_source_was_not_invalidated() {
        holds_in_all(a_failing_load_of_a_stale_entry_beside_an_invalidation);
        holds_in_all(a_failing_refresh_beside_an_invalidation);
    }

    #[test]
    fn finds_a_check_outside_of_the_lock() {
        is_found(a_read_beside_an_invalidation, Flaw::CheckedOutsideTheLock);
    }

    #[test]
    fn finds_a_fill_without_a_token() {
        is_found(a_read_beside_an_invalidation, Flaw::FilledWithoutToken);
    }

    #[test]
    fn finds_a_stand_in_from_before_the_lock() {
        is_found(
            a_failing_load_of_a_stale_entry_beside_an_invalidation,
            Flaw::StandInFromBeforeTheLock,
        );
        is_found(a_failing_refresh_beside_an_invalidation, Flaw::StandInFromBeforeTheLock);
    }

    #[test]
    fn finds_what_a_lookup_brings_though_it_was_overtaken() {
        is_found(a_read_beside_an_invalidation_on_both_levels, Flaw::SettledWithoutToken);
    }

    #[test]
    fn finds_that_l1_is_emptied_before_l2() {
        is_found(a_read_beside_an_invalidation_on_both_levels, Flaw::L1BeforeL2);
    }

    #[test]
    fn finds_a_write_that_overtakes_nobody() {
        is_found(a_read_beside_a_write, Flaw::WriteThatOvertakesNobody);
    }

    #[test]
    fn finds_a_seat_that_stays_when_it_is_dropped() {
        is_found(two_reads_of_a_flight_that_vanishes, Flaw::SeatThatStays);
    }
}
