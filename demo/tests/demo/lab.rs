//! Runs that end, are stopped, are abandoned, or cannot be.

use std::sync::OnceLock;
use std::time::Duration;

use strata_demo::lab::{Lab, LabError, Level, Phase, Run, Settings, SettingsError};
use strata_demo::lessons::{Lesson, Question};
use strata_demo::strategies::StrategyKind;

use crate::support::{Done, Laboratory, eventually, lesson};

#[tokio::test]
async fn a_run_that_has_ended_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    for slug in ["write-behind", "stampede"] {
        laboratory.rows(slug).await?;
        assert_eq!(laboratory.redis.n_keys()?, 0, "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_stopped_says_so_and_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let mut run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().is_ok_and(|n| n > 5)).await?;
    run.stop();
    let state = run.ended().await;
    assert_eq!(state.phase, Phase::Stopped);
    assert_eq!(laboratory.redis.n_keys()?, 0);
    Ok(())
}

#[tokio::test]
async fn at_whatever_moment_a_run_is_stopped_it_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let slugs = ["cache-aside", "write-through", "write-behind", "stampede"];
    for (turn, slug) in slugs.iter().cycle().take(16).enumerate() {
        let lesson = lesson(slug)?;
        let mut run = laboratory.lab.start(lesson, (lesson.settings)())?;
        tokio::time::sleep(Duration::from_millis(turn as u64 * 25)).await;
        run.stop();
        run.ended().await;
        assert_eq!(laboratory.redis.n_keys()?, 0, "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_whose_caller_goes_away_ends_and_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().is_ok_and(|n| n > 5)).await?;
    drop(run);
    eventually("its keys are gone", async || laboratory.redis.n_keys().is_ok_and(|n| n == 0)).await
}

#[tokio::test]
async fn one_run_too_many_is_refused_until_another_has_ended() -> Done {
    let lab = Lab::new(None);
    let start = || {
        let settings = Settings { requests: 100, source_delay_ms: 50, ..Settings::default() };
        lab.start(lesson("no-cache").expect("it is there"), settings)
    };
    let mut runs: Vec<Run> = (0..Lab::MAX_RUNS).map(|_| start()).collect::<Result<_, _>>()?;
    let refused = start().map_err(|error| error.to_string()).expect_err("too many");
    assert_eq!(refused, "start one more experiment: 4 are running; try again when one has ended");
    runs.pop();
    eventually("there is room again", async || start().is_ok()).await
}

#[tokio::test]
async fn two_runs_at_once_do_not_meet() -> Done {
    let laboratory = Laboratory::open().await?;
    let run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().is_ok_and(|n| n > 5)).await?;
    let rows = laboratory.rows("stampede").await?;
    assert_eq!(rows[1].queries, 1);
    assert!(matches!(run.state().phase, Phase::Running(_)), "the other goes on: {run:?}");
    assert!(laboratory.redis.n_keys()? > 0, "and has its keys");
    Ok(())
}

#[tokio::test]
async fn impossible_experiments_are_refused() -> Done {
    let lab = Lab::new(None);
    let settings = Settings { nodes: 0, ..Settings::default() };
    let refused = lab.start(lesson("no-cache")?, settings).err();
    assert!(matches!(refused, Some(LabError::Settings(SettingsError::OutOfRange { .. }))));
    let two_nodes = Settings { nodes: 2, ..Settings::default() };
    let refused = lab.start(lesson("no-cache")?, two_nodes).err();
    assert!(matches!(refused, Some(LabError::NeedsRedis)), "nodes hear of each other there");
    let refused = lab.start(lesson("write-behind")?, Settings::default()).err();
    assert!(matches!(refused, Some(LabError::NeedsRedis)), "one strategy keeps writes there");
    Ok(())
}

#[tokio::test]
async fn a_script_that_panics_fails_its_run_and_leaves_no_key() -> Done {
    static PANICS: OnceLock<Lesson> = OnceLock::new();
    let lesson = PANICS.get_or_init(|| Lesson {
        slug: "panics",
        title: "",
        idea: ["", "", ""],
        question: Question { text: "", answers: &[], right: 0 },
        watch_for: "",
        learned: "",
        strategies: &[StrategyKind::CacheAside],
        settings: Settings::default,
        play: |stage| {
            Box::pin(async move {
                stage.read(1, 1).await?;
                panic!("a mistake of ours")
            })
        },
    });
    let laboratory = Laboratory::open().await?;
    let state = laboratory.lab.start(lesson, Settings::default())?.ended().await;
    assert_eq!(state.phase, Phase::Failed("go on: the script panicked".to_owned()));
    assert_eq!(laboratory.redis.n_keys()?, 0);
    Ok(())
}

#[tokio::test]
async fn a_redis_that_dies_does_not_keep_a_run_from_ending() -> Done {
    let laboratory = Laboratory::open().await?;
    let mut run = endless(&laboratory.lab)?;
    eventually("it has begun", async || laboratory.redis.n_keys().is_ok_and(|n| n > 5)).await?;
    drop(laboratory.redis);
    run.stop();
    assert_eq!(run.ended().await.phase, Phase::Stopped);
    Ok(())
}

#[tokio::test]
async fn a_lesson_of_one_node_runs_without_redis() -> Done {
    let lab = Lab::new(None);
    let lesson = lesson("cache-aside")?;
    let state = lab.start(lesson, (lesson.settings)())?.ended().await;
    assert_eq!(state.phase, Phase::Done);
    let stale: Vec<u64> = state.performances.iter().map(|one| one.result.stale_reads).collect();
    assert_eq!(stale, [0, 1]);
    Ok(())
}

#[tokio::test]
async fn a_trace_tells_step_by_step_what_was_asked_where() -> Done {
    let lab = Lab::new(None);
    let lesson = lesson("write-through")?;
    let state = lab.start(lesson, (lesson.settings)())?.ended().await;
    let set_after_write = state.performances.last().ok_or("no performance")?;
    let last = set_after_write.steps.last().ok_or("no steps")?;
    assert_eq!(last.text, "The next reader asks for the item.");
    assert_eq!(last.lines[0].command, "read 1: l1_hit, version 3, stale");
    assert_eq!((last.lines[0].level, last.lines[0].node), (Level::L1, Some(1)));
    let first = &set_after_write.steps[0];
    assert_eq!(first.lines[0].level, Level::Source);
    assert!(first.lines[0].command.starts_with("SELECT id, version, body FROM items"));
    Ok(())
}

// Would go on for five seconds for each strategy.
fn endless(lab: &Lab) -> Result<Run, Box<dyn std::error::Error>> {
    let settings = Settings { nodes: 2, requests: 100, source_delay_ms: 50, ..Settings::default() };
    Ok(lab.start(lesson("cache-aside")?, Settings { items: 10_000, skew: 0.0, ..settings })?)
}
