//! What the lessons on expiry and invalidation claim, on the real stack.

use strata_lab::{Fault, Phase, RunRequest, StepMode};
use strata_testing::eventually;

use crate::support::{Done, Laboratory, lesson, order};

#[tokio::test]
async fn a_short_time_to_live_makes_work_a_long_one_old_answers_and_jitter_no_wave() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("time-to-live").await?;
    let [short, long, jittered] = rows.as_slice() else { return Err("three rows".into()) };
    // 40 items once, then the one that changes: it may have expired when it is read first.
    assert!((43..=44).contains(&short.queries), "loaded again after each change: {short:?}");
    assert_eq!((long.queries, jittered.queries), (40, 40), "each item once");
    assert_eq!((short.stale_reads, long.stale_reads, jittered.stale_reads), (0, 3, 3));
    assert_eq!((short.expiry_peak, long.expiry_peak), (Some(40), Some(40)), "all expire at once");
    assert!(jittered.expiry_peak < Some(15), "{jittered:?}");
    Ok(())
}

#[tokio::test]
async fn only_commit_then_l2_then_l1_lets_no_reader_bring_the_old_item_back() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("invalidation").await?;
    let stale: Vec<u64> = rows.iter().map(|row| row.stale_reads).collect();
    // Waiting for the expiry: after each of the three changes, and in the middle of the last.
    assert_eq!(stale, [0, 4, 1, 1], "in order, never, before the commit, L1 first");
    let queries: Vec<u64> = rows.iter().map(|row| row.queries).collect();
    assert_eq!(queries, [6, 3, 6, 5], "who drops L1 first takes the old item from L2");
    Ok(())
}

#[tokio::test]
async fn a_node_on_the_stream_catches_up_and_one_on_a_channel_that_forgets_does_not() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("events").await?;
    let stale: Vec<u64> = rows.iter().map(|row| row.stale_reads).collect();
    assert_eq!(stale, [0, 1, 2], "a stream, a channel that forgets, nobody told");
    let queries: Vec<u64> = rows.iter().map(|row| row.queries).collect();
    assert_eq!(queries, [4, 3, 2], "what is stale was not loaded again");
    Ok(())
}

#[tokio::test]
async fn a_tag_forgets_the_pages_that_show_an_item_and_no_other() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("tags").await?;
    let [tags, all, one] = rows.as_slice() else { return Err("three rows".into()) };
    assert_eq!((tags.queries, all.queries, one.queries), (23, 40, 21));
    assert_eq!((tags.stale_reads, all.stale_reads, one.stale_reads), (0, 0, 4));
    Ok(())
}

#[tokio::test]
async fn a_not_found_is_asked_for_once_by_all_nodes_until_the_item_is_created() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("negative").await?;
    let [kept, forgotten, mistaken] = rows.as_slice() else { return Err("three rows".into()) };
    // 40 reads of what is not there, and one load of what was created.
    assert_eq!((kept.queries, forgotten.queries, mistaken.queries), (2, 41, 1));
    assert_eq!((kept.stale_reads, forgotten.stale_reads, mistaken.stale_reads), (0, 0, 2));
    Ok(())
}

#[tokio::test]
async fn side_by_side_the_counts_are_the_same_as_one_after_the_other() -> Done {
    let laboratory = Laboratory::open().await?;
    let expected: [(&str, &[u64]); 4] = [
        ("invalidation", &[0, 4, 1, 1]),
        ("events", &[0, 1, 2]),
        ("tags", &[0, 0, 4]),
        ("negative", &[0, 0, 2]),
    ];
    for (slug, expected) in expected {
        let order = RunRequest { step_mode: StepMode::StepByStep, ..order(lesson(slug)?) };
        let run = laboratory.lab.start(order)?;
        run.go_on_to_the_end();
        let rows = run.ended().await.contenders;
        let stale: Vec<u64> = rows.into_iter().map(|one| one.result.stale_reads).collect();
        assert_eq!(stale, expected, "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn who_ends_before_he_is_held_up_keeps_no_script_waiting() -> Done {
    let laboratory = Laboratory::open().await?;
    let order = RunRequest { step_mode: StepMode::StepByStep, ..order(lesson("cache-aside")?) };
    let run = laboratory.lab.start(order)?;
    let waits = async || run.state().await.next_step.is_some();
    eventually("the first step is played", waits).await;
    run.inject(Fault::DatabaseAway)?;
    run.go_on_to_the_end();
    assert_eq!(run.ended().await.phase, Phase::Done);
    Ok(())
}
