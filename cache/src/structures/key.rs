use std::fmt::Display;
use std::time::Duration;

use super::error::StructureError;
use super::handle::Structures;
use super::place::life_ms;

impl Structures {
    /// Whether anything lies at a key.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn exists(&self, key: impl Display) -> Result<bool, StructureError> {
        let place = self.place(key);
        place.ask(place.command("EXISTS")).await
    }

    /// Lets what lies at a key live for `time_to_live` from now, longer or shorter than it would
    /// have; `false` where nothing lies there.
    ///
    /// # Errors
    /// [`StructureError::NoTimeToLive`] and [`StructureError::Away`].
    pub async fn expire(
        &self,
        key: impl Display,
        time_to_live: Duration,
    ) -> Result<bool, StructureError> {
        let place = self.place(key);
        let mut command = place.command("PEXPIRE");
        command.arg(life_ms(time_to_live)?);
        place.ask(command).await
    }

    /// How long what lies at a key still lives, to a millisecond; `None` where nothing does.
    /// [`Duration::MAX`] is what somebody else wrote without an end.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn time_to_live(
        &self,
        key: impl Display,
    ) -> Result<Option<Duration>, StructureError> {
        let place = self.place(key);
        let left_ms: i64 = place.ask(place.command("PTTL")).await?;
        Ok(match u64::try_from(left_ms) {
            Ok(left_ms) => Some(Duration::from_millis(left_ms)),
            Err(_) if left_ms == -1 => Some(Duration::MAX),
            Err(_) => None,
        })
    }

    /// Removes what lies at a key, of whatever kind; `false` where nothing did.
    ///
    /// # Errors
    /// [`StructureError::Away`].
    pub async fn remove(&self, key: impl Display) -> Result<bool, StructureError> {
        let place = self.place(key);
        place.ask(place.command("UNLINK")).await
    }
}
