use std::fmt::Display;
use std::time::Duration;

use super::error::StructureError;
use super::handle::Structures;
use super::target::time_to_live_ms;

impl Structures {
    /// Whether the key has a value.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn exists(&self, key: impl Display) -> Result<bool, StructureError> {
        let target = self.target(key);
        target.ask(target.command("EXISTS")).await
    }

    /// Lets the key's value live for `time_to_live` from now, longer or shorter than before.
    /// Returns `false` if there is none.
    ///
    /// # Errors
    /// [`StructureError::NoTimeToLive`] and [`StructureError::Away`].
    pub async fn expire(
        &self,
        key: impl Display,
        time_to_live: Duration,
    ) -> Result<bool, StructureError> {
        let target = self.target(key);
        let mut command = target.command("PEXPIRE");
        command.arg(time_to_live_ms(time_to_live)?);
        target.ask(command).await
    }

    /// How long the key's value still lives, to a millisecond; `None` if there is none.
    /// [`Duration::MAX`] if another program wrote it without a time to live.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn time_to_live(
        &self,
        key: impl Display,
    ) -> Result<Option<Duration>, StructureError> {
        let target = self.target(key);
        let left_ms: i64 = target.ask(target.command("PTTL")).await?;
        Ok(match u64::try_from(left_ms) {
            Ok(left_ms) => Some(Duration::from_millis(left_ms)),
            Err(_) if left_ms == -1 => Some(Duration::MAX),
            Err(_) => None,
        })
    }

    /// Removes the key's value, of whatever kind. Returns `false` if there was none.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn remove(&self, key: impl Display) -> Result<bool, StructureError> {
        let target = self.target(key);
        target.ask(target.command("UNLINK")).await
    }
}
