//! Runs that end, are stopped, are abandoned, or cannot be.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use strata_lab::{
    Fault, Lab, LabError, Lesson, Level, Phase, Question, Run, RunRequest, Settings, SettingsError,
    StepMode, StrategyKind, Variant,
};
use strata_testing::eventually;

use crate::support::{Done, Laboratory, lesson, order, order_with};

#[tokio::test]
async fn a_run_that_has_ended_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    for slug in ["write-behind", "stampede"] {
        laboratory.rows(slug).await?;
        assert_eq!(laboratory.redis.n_keys().await, 0, "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_stopped_says_so_and_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().await > 5).await;
    run.stop();
    let state = run.ended().await;
    assert_eq!(state.phase, Phase::Stopped);
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn at_whatever_moment_a_run_is_stopped_it_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let slugs = ["cache-aside", "write-through", "write-behind", "stampede", "redis-away"];
    for (turn, slug) in slugs.iter().cycle().take(16).enumerate() {
        let run = laboratory.lab.start(order(lesson(slug)?))?;
        tokio::time::sleep(Duration::from_millis(turn as u64 * 25)).await;
        run.stop();
        run.ended().await;
        assert_eq!(laboratory.redis.n_keys().await, 0, "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_waits_at_a_step_ends_when_nobody_looks_at_it() -> Done {
    let mut laboratory = Laboratory::open().await?;
    laboratory.lab = laboratory.lab.patience(Duration::from_millis(200));
    let run = laboratory.lab.start(stepping("write-through")?)?;
    let ended = async || run.phase() == Phase::Stopped;
    eventually("it is stopped", ended).await;
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn a_lab_that_is_shut_down_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().await > 5).await;
    laboratory.lab.shutdown().await;
    assert_eq!((run.phase(), laboratory.redis.n_keys().await), (Phase::Stopped, 0));
    Ok(())
}

#[tokio::test]
async fn who_presses_twice_starts_one_run() -> Done {
    let lab = Lab::new(None);
    let order = || order(lesson("no-cache").expect("it is there"));
    let pressed = || lab.start(RunRequest { ticket: "4711".to_owned(), ..order() });
    let (one, other, third) = (pressed()?, pressed()?, lab.start(order())?);
    assert_eq!(one.id(), other.id());
    assert_ne!(one.id(), third.id());
    assert_eq!(lab.run(one.id()).map(|run| run.id().to_owned()), Some(one.id().to_owned()));
    assert!(lab.run("1-ffffffffff").is_none());
    Ok(())
}

#[tokio::test]
async fn step_by_step_all_contenders_wait_for_each_other() -> Done {
    let lab = Lab::new(None);
    let run = lab.start(stepping("write-through")?)?;
    let waits_after = async |played: usize| {
        let what = format!("step {played} is played");
        let there = async || run.state().await.next_step.is_some_and(|next| next.played == played);
        eventually(&what, there).await;
    };
    waits_after(1).await;
    let state = run.state().await;
    let n_steps: Vec<usize> = state.contenders.iter().map(|one| one.steps.len()).collect();
    assert_eq!(n_steps, [1, 1, 1]);
    let next = state.next_step.map(|next| next.text);
    let expected = "A writer commits, and is held up before it can tell the cache.";
    assert_eq!(next.as_deref(), Some(expected));
    run.go_on(1);
    run.go_on(1);
    waits_after(2).await;
    run.go_on_to_the_end();
    let state = run.ended().await;
    assert_eq!(state.phase, Phase::Done);
    let stale: Vec<u64> = state.contenders.iter().map(|one| one.result.stale_reads).collect();
    assert_eq!(stale, [0, 0, 1], "as without a stop");
    Ok(())
}

#[tokio::test]
async fn what_is_broken_by_hand_is_felt_and_mended() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = laboratory.lab.start(stepping("two-levels")?)?;
    let waits_after = async |played: usize| {
        let there = async || run.state().await.next_step.is_some_and(|next| next.played == played);
        eventually("the step is played", there).await;
    };
    waits_after(1).await;
    run.inject(Fault::DatabaseAway)?;
    run.inject(Fault::RedisAway)?;
    run.inject(Fault::BusSilent)?;
    run.inject(Fault::NodeKilled)?;
    assert_eq!(run.state().await.faults.len(), 4);
    run.go_on(1);
    waits_after(2).await;
    let state = run.state().await;
    let [none, two] = state.contenders.as_slice() else { return Err("two rows".into()) };
    // Node 2 is killed, so node 1 reads: it has every item.
    assert_eq!((none.result.outcomes.failed, two.result.outcomes.l1_hit), (20, 20));
    run.repair(Fault::BusSilent).await?;
    let faults = run.state().await.faults;
    assert_eq!(faults, [Fault::DatabaseAway, Fault::RedisAway, Fault::NodeKilled]);
    for fault in faults {
        run.repair(fault).await?;
    }
    assert_eq!(run.state().await.faults, []);
    run.go_on_to_the_end();
    assert_eq!(run.ended().await.phase, Phase::Done);
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn one_run_too_many_is_refused_until_another_has_ended() -> Done {
    let lab = Lab::new(None);
    let start = || {
        let settings = Settings { requests: 100, source_delay_ms: 50, ..Settings::default() };
        lab.start(order_with(lesson("no-cache").expect("it is there"), settings))
    };
    let runs: Vec<Arc<Run>> = (0..Lab::MAX_RUNS).map(|_| start()).collect::<Result<_, _>>()?;
    let refused = start().map_err(|error| error.to_string()).expect_err("too many");
    assert_eq!(refused, "start one more experiment: 8 are running; try again when one has ended");
    runs[0].stop();
    eventually("there is room again", async || start().is_ok()).await;
    Ok(())
}

#[tokio::test]
async fn two_runs_at_once_do_not_meet() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().await > 5).await;
    let rows = laboratory.rows("stampede").await?;
    assert_eq!(rows[1].queries, 1);
    assert_eq!(run.phase(), Phase::Running, "the other goes on");
    assert!(laboratory.redis.n_keys().await > 0, "and has its keys");
    Ok(())
}

#[tokio::test]
async fn impossible_experiments_are_refused() -> Done {
    let lab = Lab::new(None);
    let settings = Settings { nodes: 0, ..Settings::default() };
    let refused = lab.start(order_with(lesson("no-cache")?, settings)).err();
    assert!(matches!(refused, Some(LabError::Settings(SettingsError::OutOfRange { .. }))));
    let two_nodes = Settings { nodes: 2, ..Settings::default() };
    let refused = lab.start(order_with(lesson("no-cache")?, two_nodes)).err();
    assert!(matches!(refused, Some(LabError::NeedsRedis)), "nodes hear of each other there");
    let refused = lab.start(order_with(lesson("write-behind")?, Settings::default())).err();
    assert!(matches!(refused, Some(LabError::NeedsRedis)), "one strategy keeps writes there");
    Ok(())
}

#[tokio::test]
async fn a_script_that_panics_fails_its_run_and_leaves_no_key() -> Done {
    static VARIANTS: [Variant; 1] = [Variant::of(StrategyKind::CacheAside)];
    static PANICS: OnceLock<Lesson> = OnceLock::new();
    let lesson = PANICS.get_or_init(|| Lesson {
        slug: "panics",
        title: "",
        idea: ["", "", ""],
        question: Question { text: "", answers: &[], right: 0 },
        watch_for: "",
        learned: "",
        variants: &VARIANTS,
        settings: Settings::default,
        script: |sandbox| {
            Box::pin(async move {
                sandbox.read(1, 1).await?;
                panic!("a mistake of ours")
            })
        },
    });
    let laboratory = Laboratory::open().await?;
    let state = laboratory.lab.start(order(lesson))?.ended().await;
    assert_eq!(state.phase, Phase::Failed("go on: the script panicked".to_owned()));
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn a_redis_that_dies_does_not_keep_a_run_from_ending() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().await > 5).await;
    drop(laboratory.redis);
    run.stop();
    assert_eq!(run.ended().await.phase, Phase::Stopped);
    Ok(())
}

#[tokio::test]
async fn a_lesson_of_one_node_runs_without_redis() -> Done {
    let lab = Lab::new(None);
    let state = lab.start(order(lesson("cache-aside")?))?.ended().await;
    assert_eq!(state.phase, Phase::Done);
    let stale: Vec<u64> = state.contenders.iter().map(|one| one.result.stale_reads).collect();
    assert_eq!(stale, [0, 1]);
    Ok(())
}

#[tokio::test]
async fn a_trace_tells_step_by_step_what_was_asked_where() -> Done {
    let lab = Lab::new(None);
    let state = lab.start(order(lesson("write-through")?))?.ended().await;
    let set_after_write = state.contenders.last().ok_or("no contender")?;
    let last = set_after_write.steps.last().ok_or("no steps")?;
    assert_eq!(last.text, "The next reader asks for the item.");
    assert_eq!(last.lines[0].command, "read 1: L1 hit, version 3, stale");
    assert_eq!((last.lines[0].level, last.lines[0].node), (Level::L1, Some(1)));
    let first = &set_after_write.steps[0];
    assert_eq!(first.lines[0].level, Level::Source);
    assert!(first.lines[0].command.starts_with("SELECT id, version, body FROM items"));
    let committed = &set_after_write.steps[1];
    assert_eq!(committed.text, "A writer commits, and is held up before it can tell the cache.");
    let commands: Vec<&str> = committed.lines.iter().map(|line| line.command.as_str()).collect();
    assert_eq!(commands, ["INSERT … ON CONFLICT … UPDATE, 1 row, COMMIT"]);
    Ok(())
}

// Would go on for five seconds for each strategy.
fn endless(lab: &Lab) -> Result<Arc<Run>, Box<dyn std::error::Error>> {
    let settings = Settings { nodes: 2, requests: 100, source_delay_ms: 50, ..Settings::default() };
    let settings = Settings { items: 10_000, skew: 0.0, ..settings };
    Ok(lab.start(order_with(lesson("cache-aside")?, settings))?)
}

fn stepping(slug: &str) -> Result<RunRequest, Box<dyn std::error::Error>> {
    Ok(RunRequest { step_mode: StepMode::StepByStep, ..order(lesson(slug)?) })
}
