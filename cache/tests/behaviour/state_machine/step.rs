use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use strata_cache::Cache;

pub(super) const KEYS: [u64; 6] = [1, 2, 10, 11, 12, 20];

/// One step of a sequence.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Get(u64),
    GetOrLoad(u64),
    GetMany(Vec<u64>),
    Bypass(u64),
    /// The source commits, and the cache gets the new value.
    Insert(u64),
    WriteThrough(u64),
    /// The source refuses a write.
    FailingWrite(u64),
    /// The source commits a write, and its answer is lost.
    LostWrite(u64),
    /// The source commits a write, and then the write's code panics.
    PanickingWrite(u64),
    /// The source commits, and the cache is not told.
    Commit(u64),
    /// The source deletes the row, and the cache is not told.
    Delete(u64),
    Invalidate(u64),
    InvalidateSoftly(u64),
    InvalidatePattern(&'static str),
    Clear,
    Advance(Duration),
    SourceFails,
    SourceRecovers,
}

/// A write whose code panics after the source has committed.
pub(super) async fn panicking_write(cache: &Cache<u64, u64>, key: u64) {
    let cache = cache.clone();
    let write = async move {
        let panics = async { std::panic::resume_unwind(Box::new("after the commit")) };
        cache.write_through::<_, std::io::Error>(&key, panics).await.map(|_| ())
    };
    assert!(tokio::spawn(write).await.unwrap_err().is_panic());
}

fn key() -> impl Strategy<Value = u64> {
    select(&KEYS)
}

/// All steps except the passing of time.
pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => key().prop_map(Step::Get),
        10 => key().prop_map(Step::GetOrLoad),
        5 => vec(key(), 0..6).prop_map(Step::GetMany),
        1 => key().prop_map(Step::Bypass),
        2 => key().prop_map(Step::Insert),
        3 => key().prop_map(Step::WriteThrough),
        1 => key().prop_map(Step::FailingWrite),
        1 => key().prop_map(Step::LostWrite),
        1 => key().prop_map(Step::PanickingWrite),
        3 => key().prop_map(Step::Commit),
        1 => key().prop_map(Step::Delete),
        4 => key().prop_map(Step::Invalidate),
        4 => key().prop_map(Step::InvalidateSoftly),
        2 => select(&["1*", "?", "1[01]", "2*", "9*"][..]).prop_map(Step::InvalidatePattern),
        1 => Just(Step::Clear),
        2 => Just(Step::SourceFails),
        3 => Just(Step::SourceRecovers),
    ]
}

/// Steps and passing minutes; sometimes a deadline is hit exactly.
pub(super) fn step_or_time() -> impl Strategy<Value = Step> {
    let minutes = (1..6u64).prop_map(|n| Step::Advance(Duration::from_secs(n * 60)));
    prop_oneof![8 => step(), 3 => minutes]
}
