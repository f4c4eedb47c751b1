use std::collections::HashMap;
use std::time::Duration;

use super::error::StructureError;
use super::scripts;
use super::target::StructureKey;

/// The hash at one key: fields with values, both bytes. Cheap to clone; only operations send
/// anything to Redis. See [`Structures`](crate::Structures) for rules that hold for all kinds.
#[derive(Clone, Debug)]
pub struct Hash {
    pub(super) target: StructureKey,
}

impl Hash {
    /// Sets fields, all of them or none, and lets the whole hash live for `time_to_live` from now.
    /// Other fields do not change. If a field is named twice, the last value counts. Returns how
    /// many fields are new. Without fields it does nothing.
    ///
    /// # Errors
    /// Every [`StructureError`] but `Overflow`.
    pub async fn set<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = (F, V)>,
        time_to_live: Duration,
    ) -> Result<u64, StructureError> {
        let mut invocation = self.target.writing(&scripts::SET_FIELDS, time_to_live)?;
        let mut is_empty = true;
        for (field, value) in fields {
            invocation.arg(field.as_ref()).arg(value.as_ref());
            is_empty = false;
        }
        if is_empty { Ok(0) } else { self.target.run(invocation).await }
    }

    /// The value of one field.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn get(&self, field: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, StructureError> {
        let mut command = self.target.command("HGET");
        command.arg(field.as_ref());
        self.target.ask(command).await
    }

    /// The values of several fields at one instant, in the order of `fields`; `None` for missing
    /// fields.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn get_many<F: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<Vec<Option<Vec<u8>>>, StructureError> {
        let mut command = self.target.command("HMGET");
        let mut is_empty = true;
        for field in fields {
            command.arg(field.as_ref());
            is_empty = false;
        }
        if is_empty { Ok(Vec::new()) } else { self.target.ask(command).await }
    }

    /// All fields with their values at one instant; empty if there is no hash. The cost grows with
    /// the size of the hash, within the node's hard timeout.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn get_all(&self) -> Result<HashMap<Vec<u8>, Vec<u8>>, StructureError> {
        self.target.ask(self.target.command("HGETALL")).await
    }

    /// Removes fields in one step. Returns how many were there.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn remove<F: AsRef<[u8]>>(
        &self,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<u64, StructureError> {
        let mut command = self.target.command("HDEL");
        let mut is_empty = true;
        for field in fields {
            command.arg(field.as_ref());
            is_empty = false;
        }
        if is_empty { Ok(0) } else { self.target.ask(command).await }
    }

    /// How many fields there are.
    ///
    /// # Errors
    /// [`StructureError::WrongType`] and [`StructureError::Away`].
    pub async fn length(&self) -> Result<u64, StructureError> {
        self.target.ask(self.target.command("HLEN")).await
    }
}
