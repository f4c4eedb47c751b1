use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use strata_demo::trace::{End, TraceError, replay};
use strata_report::Outcomes;
use tokio_util::sync::CancellationToken;

use crate::support::{Done, House};

#[tokio::test]
async fn every_line_is_one_request_and_the_outcomes_add_up() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let path = plain(&house, keys(3_000, 700).as_bytes())?;
    let totals = replay(&path, &site, None, CancellationToken::new()).await?;
    assert_eq!(totals.requests, 3_000);
    let expected = Outcomes { loaded: 700, l1_hit: 2_300, ..Outcomes::default() };
    assert_eq!(totals.outcomes, expected);
    assert_eq!((totals.skipped, totals.end), (0, End::Complete));
    let report = site.node().report();
    let objects = report.caches.iter().find(|cache| cache.cache == "objects");
    assert_eq!(objects.map(|cache| cache.outcomes), Some(expected));
    Ok(())
}

#[tokio::test]
async fn a_packed_trace_gives_the_same_totals() -> Done {
    let house = House::with_redis().await?;
    let site = house.site("1").await?;
    let path = packed(&house, keys(2_000, 300).as_bytes())?;
    let totals = replay(&path, &site, None, CancellationToken::new()).await?;
    assert_eq!(totals.requests, 2_000);
    assert_eq!(totals.outcomes.reads(), 2_000);
    assert_eq!((totals.outcomes.loaded, totals.outcomes.l1_hit), (300, 1_700));
    Ok(())
}

#[tokio::test]
async fn lines_that_are_no_keys_are_skipped_and_counted() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let long = "x".repeat(100_000);
    let mut bytes = format!("a:1\n\na:2\r\n{long}\n").into_bytes();
    bytes.extend(b"\xff\xfe\na:1");
    let path = plain(&house, &bytes)?;
    let totals = replay(&path, &site, None, CancellationToken::new()).await?;
    assert_eq!((totals.requests, totals.skipped), (3, 3));
    assert_eq!((totals.outcomes.loaded, totals.outcomes.l1_hit), (2, 1));
    Ok(())
}

#[tokio::test]
async fn requests_that_fail_are_outcomes_too() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    house.store.close().await;
    let path = plain(&house, keys(50, 50).as_bytes())?;
    let totals = replay(&path, &site, None, CancellationToken::new()).await?;
    assert_eq!((totals.requests, totals.outcomes.failed), (50, 50));
    Ok(())
}

#[tokio::test]
async fn a_rate_is_kept() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let path = plain(&house, keys(51, 5).as_bytes())?;
    let totals = replay(&path, &site, Some(200), CancellationToken::new()).await?;
    assert_eq!(totals.requests, 51);
    assert!(totals.elapsed >= Duration::from_millis(250), "{:?}", totals.elapsed);
    let never = replay(&path, &site, Some(0), CancellationToken::new()).await;
    assert!(matches!(never, Err(TraceError::ZeroRate)));
    Ok(())
}

#[tokio::test]
async fn a_stopped_replay_says_so_with_the_totals_so_far() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let path = plain(&house, keys(1_000, 5).as_bytes())?;
    let shutdown = CancellationToken::new();
    let replaying = replay(&path, &site, Some(1), shutdown.clone());
    let (totals, ()) = tokio::join!(replaying, async {
        while site.node().report().caches.iter().all(|cache| cache.outcomes.reads() == 0) {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
    });
    let totals = totals?;
    assert_eq!(totals.end, End::Stopped);
    assert!((1..1_000).contains(&totals.requests), "{}", totals.requests);
    assert_eq!(totals.outcomes.reads(), totals.requests);
    Ok(())
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_to_its_end_is_an_error() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let path = packed(&house, keys(5_000, 5_000).as_bytes())?;
    let whole = std::fs::read(&path)?;
    std::fs::write(&path, &whole[..whole.len() / 2])?;
    let cut = replay(&path, &site, None, CancellationToken::new()).await;
    assert!(matches!(cut, Err(TraceError::Read { line: 1.., .. })), "{cut:?}");
    let absent = house.dir().join("absent");
    let absent = replay(&absent, &site, None, CancellationToken::new()).await;
    assert!(matches!(absent, Err(TraceError::Open { .. })), "{absent:?}");
    let folder = replay(house.dir(), &site, None, CancellationToken::new()).await;
    assert!(folder.is_err(), "{folder:?}");
    Ok(())
}

// `n_lines` lines over `n_keys` keys, each key at least once.
fn keys(n_lines: usize, n_keys: usize) -> String {
    (0..n_lines).map(|n| format!("17:{}:0\n", n % n_keys)).collect()
}

fn plain(house: &House, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let path = house.dir().join("trace.keys");
    std::fs::write(&path, bytes)?;
    Ok(path)
}

fn packed(house: &House, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    plain(house, &encoder.finish()?)
}
