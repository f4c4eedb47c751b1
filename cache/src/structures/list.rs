use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use redis::ScriptInvocation;

use super::error::StructureError;
use super::scripts;
use super::target::StructureKey;

/// The list at one key: values of bytes, in an order. Cheap to clone; only operations send anything
/// to Redis. See [`Structures`](crate::Structures) for rules that hold for all kinds.
#[derive(Clone, Debug)]
pub struct List {
    pub(super) target: StructureKey,
}

impl List {
    /// Appends values in order, drops values beyond `max_length` (at least 1) from the front, and
    /// lets the list live for `time_to_live` from now. All of this is one step, so readers never
    /// see more than `max_length` values. Returns the length. Without values it only returns the
    /// length.
    ///
    /// # Errors
    /// Every [`StructureError`] but `Overflow`.
    pub async fn push_back<V: AsRef<[u8]>>(
        &self,
        values: impl IntoIterator<Item = V>,
        max_length: usize,
        time_to_live: Duration,
    ) -> Result<u64, StructureError> {
        let mut invocation = self.target.writing(&scripts::PUSH, time_to_live)?;
        invocation.arg("RPUSH").arg(-index_of(max_length.max(1))).arg(-1);
        self.push(invocation, values).await
    }

    /// As [`push_back`](Self::push_back), at the other end. Puts values in front one after the
    /// other, so that the last one becomes the first of the list, and drops from the back.
    ///
    /// # Errors
    /// Every [`StructureError`] but `Overflow`.
    pub async fn push_front<V: AsRef<[u8]>>(
        &self,
        values: impl IntoIterator<Item = V>,
        max_length: usize,
        time_to_live: Duration,
    ) -> Result<u64, StructureError> {
        let mut invocation = self.target.writing(&scripts::PUSH, time_to_live)?;
        invocation.arg("LPUSH").arg(0).arg(index_of(max_length.max(1)) - 1);
        self.push(invocation, values).await
    }

    async fn push<V: AsRef<[u8]>>(
        &self,
        mut invocation: ScriptInvocation<'_>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<u64, StructureError> {
        let mut is_empty = true;
        for value in values {
            invocation.arg(value.as_ref());
            is_empty = false;
        }
        if is_empty { self.length().await } else { self.target.run(invocation).await }
    }

    /// The values in `range`, counted from the front and from 0, as they are at one instant: `..`
    /// is all, `..10` the first ten. Positions beyond the end are left out.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn range(
        &self,
        range: impl RangeBounds<usize>,
    ) -> Result<Vec<Vec<u8>>, StructureError> {
        let first = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let last = match range.end_bound() {
            Bound::Included(last) => Some(*last),
            Bound::Excluded(0) => return Ok(Vec::new()),
            Bound::Excluded(end) => Some(end - 1),
            Bound::Unbounded => None,
        };
        let mut command = self.target.command("LRANGE");
        command.arg(index_of(first)).arg(last.map_or(-1, index_of));
        self.target.ask(command).await
    }

    /// Removes the first value and returns it. Concurrent callers each get a different value. If
    /// the answer is lost on its way, so is the value.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn pop_front(&self) -> Result<Option<Vec<u8>>, StructureError> {
        self.target.ask(self.target.command("LPOP")).await
    }

    /// As [`pop_front`](Self::pop_front), for the last value.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn pop_back(&self) -> Result<Option<Vec<u8>>, StructureError> {
        self.target.ask(self.target.command("RPOP")).await
    }

    /// How many values there are.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn length(&self) -> Result<u64, StructureError> {
        self.target.ask(self.target.command("LLEN")).await
    }
}

/// Redis counts in `i64`, and its lists are shorter than that.
fn index_of(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
