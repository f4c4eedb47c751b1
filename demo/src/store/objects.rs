use serde::{Deserialize, Serialize};

use super::prose::prose;
use super::{Store, StoreError};
use crate::random::Random;

/// What a key of a recorded trace stands for. Every key has one: until somebody writes it, its
/// body follows from the key alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// The text.
    pub body: String,
    /// 0 until it is written; grows by one with each change.
    pub version: i64,
}

/// A change to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectEdit {
    /// The new text.
    pub body: String,
}

impl Object {
    /// The object that nobody has written: 100 to 2 048 bytes of text.
    pub fn derived(key: &str) -> Self {
        let mut random = Random::of_text(key);
        let n_bytes = 100 + random.below(1_949) as usize;
        Self { key: key.to_owned(), body: prose(&mut random, n_bytes), version: 0 }
    }
}

impl Store {
    /// One object.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn object(&self, key: &str) -> Result<Object, StoreError> {
        let written: Option<(String, i64)> =
            sqlx::query_as("SELECT body, version FROM objects WHERE key = ?")
                .bind(key)
                .fetch_optional(&self.reads)
                .await?;
        Ok(match written {
            Some((body, version)) => Object { key: key.to_owned(), body, version },
            None => Object::derived(key),
        })
    }

    /// Writes an object.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn put_object(&self, key: &str, edit: &ObjectEdit) -> Result<Object, StoreError> {
        let sql = "INSERT INTO objects (key, body) VALUES (?, ?)
            ON CONFLICT (key) DO UPDATE SET body = excluded.body, version = version + 1
            RETURNING version";
        let mut tx = self.begin().await?;
        let version =
            sqlx::query_scalar(sql).bind(key).bind(&edit.body).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(Object { key: key.to_owned(), body: edit.body.clone(), version })
    }
}
