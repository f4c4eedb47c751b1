use std::time::Duration;

use super::error::StructureError;
use super::scripts;
use super::target::StructureKey;

/// The counter at one key: an `i64` that starts at 0. Cheap to clone; only operations send anything
/// to Redis. See [`Structures`](crate::Structures) for rules that hold for all kinds.
#[derive(Clone, Debug)]
pub struct Counter {
    pub(super) target: StructureKey,
}

impl Counter {
    /// Adds, lets the counter live for `time_to_live` from now, and returns the sum. Each of
    /// several concurrent callers gets the sum right after its own step. Not idempotent: after
    /// [`StructureError::Away`] the caller does not know whether it counted.
    ///
    /// # Errors
    /// Every [`StructureError`].
    pub async fn add(&self, by: i64, time_to_live: Duration) -> Result<i64, StructureError> {
        let mut invocation = self.target.writing(&scripts::ADD, time_to_live)?;
        invocation.arg(by);
        number(self.target.run(invocation).await?)
    }

    /// As [`add`](Self::add), but the counter lives for `window` from its first write, and later
    /// writes do not prolong it. Use it for limits such as calls per minute.
    ///
    /// # Errors
    /// Every [`StructureError`].
    pub async fn add_in_window(&self, by: i64, window: Duration) -> Result<i64, StructureError> {
        let mut invocation = self.target.writing(&scripts::ADD_IN_WINDOW, window)?;
        invocation.arg(by);
        number(self.target.run(invocation).await?)
    }

    /// The number. `None` if nothing has been counted, or not since the counter expired.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn get(&self) -> Result<Option<i64>, StructureError> {
        let text: Option<Vec<u8>> = self.target.ask(self.target.command("GET")).await?;
        text.map(number).transpose()
    }

    /// Sets the number, whatever it was, and lets the counter live for `time_to_live` from now.
    ///
    /// # Errors
    /// Every [`StructureError`] but `Overflow`.
    pub async fn set(&self, number: i64, time_to_live: Duration) -> Result<(), StructureError> {
        let mut invocation = self.target.writing(&scripts::SET_COUNTER, time_to_live)?;
        invocation.arg(number);
        self.target.run(invocation).await
    }
}

fn number(text: Vec<u8>) -> Result<i64, StructureError> {
    let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
    number.ok_or(StructureError::WrongType)
}
