use std::future::Future;
use std::sync::Arc;

use super::row::Row;
use crate::connection::Away;

/// The unwritten values, as the flusher sees them. A key that has been taken is not taken again
/// before the flusher is done with it.
pub(super) trait Backlog<K, V>: Send + Sync + 'static {
    /// Identifies a taken row. Its code is Strata's own and never panics.
    type Receipt: Clone + Send + Sync;

    /// Takes up to `max` rows that are not taken yet. Empty if there are none.
    fn take(&self, max: usize) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// Takes rows over from flushers that no longer answer: up to `max` rows on which at most one
    /// flusher has fallen silent, or else a single row. Empty if there are none.
    fn take_over(
        &self,
        max: usize,
    ) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// The current state of taken rows, for the next try. Leaves out rows that other flushers hold
    /// by now.
    fn again(
        &self,
        receipts: &[Self::Receipt],
    ) -> impl Future<Output = Result<TakenRows<Self, K, V>, Away>> + Send;

    /// Records that the source has these rows.
    fn written(
        &self,
        rows: &[TakenRow<Self::Receipt, K, V>],
    ) -> impl Future<Output = Result<(), Away>> + Send;

    /// Records that the sink refused these rows. They will be tried again.
    fn refused(&self, rows: &[TakenRow<Self::Receipt, K, V>]);

    /// Records that the sink has answered for these rows, so no flusher fell silent on them.
    fn outlived(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Makes a row a dead letter. Returns `false` if a newer value of the key replaces it instead.
    fn set_aside(
        &self,
        row: &TakenRow<Self::Receipt, K, V>,
        failure: RowFailure<'_>,
    ) -> impl Future<Output = Result<bool, Away>> + Send;

    /// Records that the flusher is still working on these rows.
    fn keep(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Lets other flushers take these rows at once, because this one stops.
    fn hand_over(&self, receipts: &[Self::Receipt]) -> impl Future<Output = ()> + Send;

    /// Whether all writes that began before the shutdown have arrived.
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

/// Why a row becomes a dead letter.
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
