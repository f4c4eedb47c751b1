use std::collections::HashSet;

use super::*;

/// A sink that refuses some rows, and a flusher that has taken all rows.
struct Played {
    retries: Retries<u32>,
    new: Vec<Vec<u32>>,
    poison: HashSet<u32>,
    written: Vec<u32>,
    set_aside: Vec<u32>,
    calls: usize,
}

impl Played {
    fn new(n_rows: u32, poison: &[u32]) -> Self {
        let rows: Vec<u32> = (0..n_rows).collect();
        Self {
            retries: Retries::new(FlushSettings {
                tries: 3,
                max_batch: 256,
                ..FlushSettings::of_tests()
            }),
            new: rows.chunks(256).rev().map(<[u32]>::to_vec).collect(),
            poison: poison.iter().copied().collect(),
            written: Vec::new(),
            set_aside: Vec::new(),
            calls: 0,
        }
    }

    /// Plays until no row is left, or this time is over.
    async fn play(&mut self, is_down: bool, time: Duration) {
        let end = Instant::now() + time;
        while !(self.new.is_empty() && self.retries.is_empty()) {
            let soon = if self.new.is_empty() { HOUR * 24 } else { Duration::from_millis(1) };
            let next_at = self.retries.next_at(Instant::now() + soon);
            if next_at > end {
                return tokio::time::sleep_until(end).await;
            }
            tokio::time::sleep_until(next_at).await;
            if let Some(batch) = self.retries.next() {
                self.call(batch, is_down);
            } else if self.retries.may_take()
                && let Some(rows) = self.new.pop()
            {
                let batch = self.retries.fresh(rows);
                self.call(batch, is_down);
            }
        }
    }

    /// Lets the sink take one batch, and then nothing.
    async fn take_one(&mut self) {
        tokio::time::sleep_until(self.retries.next_at(Instant::now() + HOUR)).await;
        let batch = self.retries.next().unwrap();
        self.call(batch, false);
    }

    fn call(&mut self, batch: Batch<u32>, is_down: bool) {
        self.calls += 1;
        if is_down || batch.receipts.iter().any(|row| self.poison.contains(row)) {
            let set_aside = self.retries.failed(batch, FailureKind::ForNow);
            self.set_aside.extend(set_aside.iter().flat_map(|batch| &batch.receipts));
        } else {
            self.written.extend(&batch.receipts);
            self.retries.succeeded();
        }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn one_row_at_fault_is_set_aside_alone_and_soon() {
    let mut played = Played::new(256, &[77]);
    let began = Instant::now();
    played.play(false, HOUR).await;
    assert_eq!((played.written.len(), &*played.set_aside), (255, &[77][..]));
    assert!(played.calls <= 30, "{} calls", played.calls);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn many_rows_at_fault_are_set_aside_and_all_others_are_written() {
    let poison: Vec<u32> = (0..5_000).step_by(250).collect();
    let mut played = Played::new(5_000, &poison);
    played.play(false, HOUR).await;
    assert_eq!(played.written.len(), 5_000 - poison.len());
    assert!(played.calls <= 40 * poison.len(), "{} calls", played.calls);
    // The remaining bad rows show their fault while others are written.
    for row in 5_000..5_020 {
        played.new.push(vec![row]);
        played.play(false, Duration::from_secs(60)).await;
    }
    played.set_aside.sort_unstable();
    assert_eq!(played.set_aside, poison);
}

#[tokio::test(start_paused = true)]
async fn an_outage_sets_nothing_aside_and_leaves_whole_batches() {
    for seconds in [5, 20, 600, 36_000] {
        let mut played = Played::new(5_000, &[]);
        let outage = Duration::from_secs(seconds);
        played.play(true, outage).await;
        let most = 24 + 2 * seconds / 15;
        assert!(played.calls as u64 <= most, "{} calls in {outage:?}", played.calls);
        played.calls = 0;
        played.play(false, HOUR).await;
        assert_eq!((played.written.len(), played.set_aside.len()), (5_000, 0));
        assert!(played.calls <= 26, "{} calls after {outage:?}", played.calls);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_interrupted_sets_nothing_aside_either() {
    let mut played = Played::new(5_000, &[]);
    played.retries =
        Retries::new(FlushSettings { tries: 10, max_batch: 256, ..FlushSettings::of_tests() });
    for _ in 0..5 {
        played.play(true, Duration::from_secs(120)).await;
        played.take_one().await;
    }
    played.play(true, Duration::from_secs(1_200)).await;
    assert!(played.calls < 450, "{} calls", played.calls);
    played.calls = 0;
    played.play(false, HOUR).await;
    assert_eq!((played.written.len(), played.set_aside.len()), (5_000, 0));
    assert!(played.calls < 200, "{} calls afterwards", played.calls);
}

#[tokio::test(start_paused = true)]
async fn a_row_with_nothing_beside_it_waits_until_the_sink_takes_others() {
    let mut played = Played::new(1, &[0]);
    played.play(false, HOUR).await;
    assert!(played.set_aside.is_empty());
    assert_eq!(played.retries.failing().0, 1);
    played.new.push(vec![1]);
    played.play(false, HOUR).await;
    assert_eq!((&*played.written, &*played.set_aside), (&[1][..], &[0][..]));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_the_sink_refuses_for_good_is_set_aside_at_once() {
    let mut retries = Retries::new(FlushSettings::of_tests());
    let batch = retries.fresh(vec![7]);
    assert!(retries.failed(batch, FailureKind::ForGood).is_some());
    let batch = retries.fresh(vec![7, 8]);
    assert!(retries.failed(batch, FailureKind::ForGood).is_none(), "which of them is not known");
}

#[tokio::test(start_paused = true)]
async fn two_rows_at_fault_beside_a_good_one_are_both_set_aside() {
    for new in [vec![vec![13, 14, 15]], vec![vec![14, 15], vec![13]]] {
        let mut played = Played::new(0, &[13, 14]);
        played.retries = Retries::new(FlushSettings::of_tests());
        played.new = new;
        played.play(false, HOUR).await;
        played.set_aside.sort_unstable();
        assert_eq!((&*played.written, &*played.set_aside), (&[15][..], &[13, 14][..]));
    }
}
