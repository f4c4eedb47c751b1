use std::future::Future;
use std::sync::Arc;

use super::row::Row;
use crate::connection::Away;

/// Where unwritten values wait, as the flusher sees it. A key that has been taken is not taken
/// again before the flusher is done with it.
pub(super) trait Backlog<K, V>: Send + Sync + 'static {
    /// What names a taken row. Its code is ours: it never panics.
    type Receipt: Clone + Send + Sync;

    /// Takes up to `max` rows that nobody has taken. None where there are none.
    fn take(&self, max: usize) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// Takes rows over from flushers that no longer answer: up to `max` that one of them at most
    /// fell silent on, or else a single one. None where there are none.
    fn take_over(
        &self,
        max: usize,
    ) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// Taken rows as they are by now, for the next try. Leaves out those that are no longer ours.
    fn again(
        &self,
        receipts: &[Self::Receipt],
    ) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// The source has these rows.
    fn written(
        &self,
        rows: &[TakenRow<Self::Receipt, K, V>],
    ) -> impl Future<Output = Result<(), Away>> + Send;

    /// The sink refused these rows; they will be tried again.
    fn refused(&self, rows: &[TakenRow<Self::Receipt, K, V>]);

    /// The sink has answered for these rows, whatever it said: nobody fell silent on them.
    fn outlived(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Sets a row aside. Says whether it did: a newer value of the key takes its turn instead.
    fn set_aside(
        &self,
        row: &TakenRow<Self::Receipt, K, V>,
        failure: RowFailure<'_>,
    ) -> impl Future<Output = Result<bool, Away>> + Send;

    /// Says that the flusher is still at work on these.
    fn keep(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Lets others have these at once: the flusher stops.
    fn hand_over(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Whether no write is on its way that began before the end did.
    fn is_settled(&self) -> bool;
}

/// Rows taken from a backlog `B`.
pub(super) type TakenRows<B, K, V> = Vec<TakenRow<<B as Backlog<K, V>>::Receipt, K, V>>;

/// A row that has been taken.
pub(super) struct TakenRow<T, K, V> {
    pub(super) receipt: T,
    pub(super) key: Arc<K>,
    pub(super) value: Arc<V>,
    pub(super) version: u64,
    /// How many flushers had it before and fell silent.
    pub(super) deaths: u32,
}

/// Why a row is set aside.
#[derive(Clone, Copy)]
pub(super) struct RowFailure<'a> {
    pub(super) tries: u32,
    pub(super) error: &'a str,
}

impl<T, K: Clone, V: Clone> TakenRow<T, K, V> {
    /// Runs code of the key and the value.
    pub(super) fn row(&self) -> Row<K, V> {
        let (key, value) = (K::clone(&self.key), V::clone(&self.value));
        Row { key, value, version: self.version }
    }
}
