//! What is compared by link, on made-up and on recorded requests.

use strata_demo::trace::{Curve, CurvePoint, CurveState, Recording, TraceStore};
use strata_lab::{Comparison, Lab, Phase, RunRequest, RunState, StepMode};
use strata_report::Outcomes;
use strata_testing::eventually;

use crate::support::{Done, Laboratory};

/// How reads ended, queries, transactions.
type Counts = (Outcomes, u64, u64);

#[tokio::test]
async fn strategies_are_compared_on_the_same_requests() -> Done {
    let laboratory = Laboratory::open().await?;
    let comparison = of(
        "a=no-cache&b=cache-aside&c=write-through&d=durable-write-behind&write_share=0.2&requests=120&items=20",
    )?;
    let state = run(&laboratory.lab, &comparison, None).await?;
    let rows: Vec<_> = state.contenders.iter().map(|one| &one.result).collect();
    let made = |row: usize| (rows[row].outcomes.reads(), rows[row].acknowledged);
    assert_eq!(made(0).0 + made(0).1, 120);
    assert!((1..4).all(|row| made(row) == made(0)), "{rows:?}");
    assert_eq!(rows[0].queries, made(0).0, "without a cache every read asks the database");
    assert!(rows[1].queries < rows[0].queries && rows[2].queries < rows[1].queries, "{rows:?}");
    assert!(rows[3].updates < rows[2].updates, "writes that wait are written together: {rows:?}");
    assert!(rows.iter().all(|row| row.lost_writes + row.outcomes.failed == 0), "{rows:?}");
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn two_runs_of_one_link_count_the_same() -> Done {
    let lab = Lab::new(None);
    // All items fit, so that nothing depends on what L1 turns away.
    let comparison = of("a=cache-aside&b=read-through&seed=11&items=60&requests=300")?;
    let counts = async || -> Result<Vec<Counts>, Box<dyn std::error::Error>> {
        let state = run(&lab, &comparison, None).await?;
        let rows = state.contenders.iter().map(|one| &one.result);
        Ok(rows.map(|row| (row.outcomes, row.queries, row.updates)).collect())
    };
    assert_eq!(counts().await?, counts().await?);
    Ok(())
}

#[tokio::test]
async fn one_strategy_is_compared_with_itself_under_other_settings() -> Done {
    let lab = Lab::new(None);
    let comparison =
        of("a=cache-aside&b=cache-aside&a.l1_entries=5&b.l1_entries=200&write_share=0&skew=0")?;
    let state = run(&lab, &comparison, None).await?;
    let queries: Vec<u64> = state.contenders.iter().map(|one| one.result.queries).collect();
    assert!(queries[1] <= 200, "with room for all 200 items each is loaded once: {queries:?}");
    assert!(queries[0] > queries[1] + 50, "5 entries against 200: {queries:?}");
    assert_eq!(state.contenders[0].title, "Cache-aside, L1 entries 5");
    Ok(())
}

#[tokio::test]
async fn recorded_requests_are_played_as_they_were_recorded() -> Done {
    let lab = Lab::new(None);
    let uploaded = lab.traces().put("mine", "b\na\nb\nb\nc\n".repeat(100).into_bytes()).await?;
    let comparison = of("a=no-cache&b=cache-aside&l1_entries=10&trace=mine")?;
    let state = run(&lab, &comparison, Some(&uploaded.recording)).await?;
    let rows: Vec<_> = state.contenders.iter().map(|one| &one.result).collect();
    assert_eq!((rows[0].outcomes.reads(), rows[0].queries), (500, 500));
    assert_eq!((rows[1].outcomes.l1_hit, rows[1].outcomes.loaded), (497, 3));
    Ok(())
}

#[tokio::test]
async fn an_upload_is_found_by_its_name_until_newer_ones_push_it_out() -> Done {
    let traces = TraceStore::new(None);
    let first = traces.put("mine", b"a\n".to_vec()).await?;
    let again = traces.put("mine once more", b"a\n".to_vec()).await?;
    assert_eq!(first.recording, again.recording, "it is the same one");
    for n in 1..TraceStore::MAX_UPLOADS {
        traces.put("another", format!("b{n}\n").into_bytes()).await?;
    }
    assert!(traces.find(&first.recording.id).await?.is_some());
    traces.put("one more", b"c\n".to_vec()).await?;
    assert!(traces.find(&first.recording.id).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn of_what_is_refused_nothing_is_kept() -> Done {
    let traces = TraceStore::new(None);
    let kept = traces.put("mine", b"a\n".to_vec()).await?;
    for n in 0..20u8 {
        assert!(traces.put("broken", vec![0, n]).await.is_err());
    }
    assert!(traces.find(&kept.recording.id).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn the_trace_that_is_replayed_can_be_picked() -> Done {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("shop.keys");
    std::fs::write(&path, "a\n\x01\nb\na\n")?;
    let traces = TraceStore::new(Some(path));
    let listed: Vec<String> = traces.list().into_iter().map(|listed| listed.id).collect();
    assert_eq!(listed, ["replayed", "zipf", "scan", "loop"]);
    for id in &listed {
        let found = traces.find(id).await?.ok_or("it is listed")?;
        assert_eq!(&found.recording.id, id);
    }
    let replayed = traces.find("replayed").await?.ok_or("it is there")?;
    let Recording { requests, n_skipped, .. } = &replayed.recording;
    assert_eq!((requests.as_slice(), *n_skipped), ([1, 2, 1].as_slice(), 1));
    assert!(traces.find("nonsense").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_curve_is_measured_once_somebody_asks_for_it() -> Done {
    let traces = TraceStore::new(None);
    let stored = traces.put("mine", "a\nb\nc\n".repeat(20).into_bytes()).await?;
    assert!(matches!(traces.curve(&stored), CurveState::Measuring));
    let done = async || matches!(traces.curve(&stored), CurveState::Done(_));
    eventually("it is measured", done).await;
    let CurveState::Done(curve) = traces.curve(&stored) else { return Err("it is done".into()) };
    let sizes: Vec<u64> = curve.points.iter().map(|point| point.entries).collect();
    assert_eq!(sizes, [1, 2], "of three keys there are no six sizes");
    assert_eq!(curve.ceiling, 57.0 / 60.0);
    Ok(())
}

#[tokio::test]
async fn a_loop_larger_than_l1_defeats_an_lru_and_not_ours() -> Done {
    let curve = curve("loop", 4_000).await?;
    let [.., fifth, half] = curve.points.as_slice() else { return Err("too few points".into()) };
    assert_eq!((fifth.percent, fifth.entries, half.entries), (20, 100, 250));
    assert_eq!((fifth.lru, half.lru), (0.0, 0.0), "each key goes just before it comes again");
    assert!(half.l1 > 0.1 && half.l1 <= curve.ceiling, "{half:?}");
    assert_eq!(curve.ceiling, 0.875);
    Ok(())
}

#[tokio::test]
async fn a_scan_costs_an_lru_its_hot_set_and_ours_less() -> Done {
    let curve = curve("scan", 9_000).await?;
    let tenth = curve.points.iter().find(|point| point.percent == 5).ok_or("no such point")?;
    assert!(tenth.l1 > tenth.lru + 0.02, "{tenth:?}");
    Ok(())
}

#[tokio::test]
async fn popular_keys_need_little_room_and_more_room_is_never_worse() -> Done {
    let curve = curve("zipf", 5_000).await?;
    let ratios = |of: fn(&CurvePoint) -> f64| -> Vec<f64> { curve.points.iter().map(of).collect() };
    let (l1, lru) = (ratios(|point| point.l1), ratios(|point| point.lru));
    assert!(lru.is_sorted(), "{lru:?}");
    assert!(l1.windows(2).all(|pair| pair[1] > pair[0] - 0.02), "{l1:?}");
    assert!(l1.iter().chain(&lru).all(|ratio| *ratio <= curve.ceiling), "{curve:?}");
    assert!(l1[0] > 0.1, "one key in a hundred answers more than a tenth: {l1:?}");
    Ok(())
}

/// Of so many of its first requests.
async fn curve(id: &str, n_requests: usize) -> Result<Curve, Box<dyn std::error::Error>> {
    let stored = TraceStore::new(None).find(id).await?.ok_or("it is shipped")?;
    let mut recording = stored.recording.clone();
    recording.requests.truncate(n_requests);
    recording.n_keys = recording.requests.iter().max().copied().unwrap_or(0);
    Ok(Curve::measure(&recording).await?)
}

fn of(query: &str) -> Result<Comparison, Box<dyn std::error::Error>> {
    Ok(Comparison::of_fields(query.split('&').filter_map(|field| field.split_once('=')))?)
}

async fn run(
    lab: &Lab,
    comparison: &Comparison,
    recording: Option<&Recording>,
) -> Result<RunState, Box<dyn std::error::Error>> {
    let experiment = match recording {
        Some(recording) => comparison.replay(recording)?,
        None => comparison.experiment()?,
    };
    let order = RunRequest {
        topic: "compare".to_owned(),
        experiment,
        settings: comparison.settings.clone(),
        step_mode: StepMode::AllAtOnce,
        guess: None,
        ticket: String::new(),
    };
    let state = lab.start(order)?.ended().await;
    match state.phase {
        Phase::Done => Ok(state),
        other => Err(format!("it ended as {other:?}").into()),
    }
}
