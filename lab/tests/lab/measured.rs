//! The measured table: what a read costs on each level.

use strata_lab::{Lab, Level, MeasurementState};
use strata_testing::eventually;
use tempfile::TempDir;

use crate::support::{Done, Laboratory};

#[tokio::test]
async fn every_level_is_measured_at_every_size_and_nothing_is_left() -> Done {
    let laboratory = Laboratory::open().await?;
    let lab = &laboratory.lab;
    assert_eq!(lab.measured(), MeasurementState::default());
    lab.measure()?;
    lab.measure()?;
    let (done, of) = lab.measured().running.ok_or("it has begun")?;
    assert!(done < of && of == 12, "pressed twice it is measured once");
    lab.measurement_ended().await;
    let measured = lab.measured();
    assert_eq!(measured.failure, None);
    let table = measured.table.ok_or("there is a table")?;
    let places: Vec<_> = table.rows.iter().map(|row| (row.level, row.value_bytes)).collect();
    let sizes = [100, 1_000, 10_000, 100_000];
    let expected =
        [Level::L1, Level::L2, Level::Source].map(|level| sizes.map(|size| (level, size)));
    assert_eq!(places, expected.concat());
    for row in &table.rows {
        for speed in [row.alone, row.crowd] {
            assert!(speed.reads > 0 && speed.per_s > 0.0, "{row:?}");
            assert!((1..=speed.p99_ns).contains(&speed.p50_ns), "{row:?}");
        }
    }
    let p50 = |at: usize| table.rows[at].alone.p50_ns;
    assert!(p50(0) < p50(4), "memory of one's own is nearer than Redis: {table:?}");
    assert!(table.n_cpus > 0 && table.at_ms > 0);
    assert_eq!(laboratory.redis.n_keys().await, 0);
    Ok(())
}

#[tokio::test]
async fn without_redis_the_other_levels_are_measured() -> Done {
    let lab = Lab::new(None);
    lab.measure()?;
    lab.measurement_ended().await;
    let table = lab.measured().table.ok_or("there is a table")?;
    assert!(table.rows.iter().all(|row| row.level != Level::L2));
    assert_eq!(table.rows.len(), 8);
    Ok(())
}

#[tokio::test]
async fn a_measurement_that_is_stopped_says_so_and_leaves_no_key() -> Done {
    let laboratory = Laboratory::open().await?;
    let lab = &laboratory.lab;
    lab.measure()?;
    eventually("it is at Redis", async || laboratory.redis.n_keys().await > 5).await;
    lab.stop_measuring();
    lab.measurement_ended().await;
    let measured = lab.measured();
    assert_eq!(measured.failure.as_deref(), Some("go on: the measurement was stopped"));
    assert_eq!((measured.table, laboratory.redis.n_keys().await), (None, 0));
    Ok(())
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_told_and_the_slot_is_free_again() -> Done {
    let dir = TempDir::new()?;
    let socket = dir.path().join("nobody.sock");
    let lab = Lab::new(Some(&format!("redis+unix://{}", socket.display())));
    for _ in 0..=Lab::MAX_RUNS {
        lab.measure()?;
        lab.stop_measuring();
        lab.measurement_ended().await;
    }
    lab.measure()?;
    lab.measurement_ended().await;
    let failure = lab.measured().failure;
    let expected = "read from Redis: somebody else answered, or nobody";
    assert_eq!(failure.as_deref(), Some(expected));
    Ok(())
}
