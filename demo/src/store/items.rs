use std::collections::HashMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use super::StoreError;

/// A row of the table that one experiment of the lab has for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// From 1.
    pub id: u64,
    /// 1 when the table is made; grows with each write.
    pub version: u64,
    /// Filler.
    pub body: String,
}

impl Item {
    /// About as many bytes as it takes.
    pub fn weight(&self) -> u32 {
        u32::try_from(size_of::<Self>() + self.body.len()).unwrap_or(u32::MAX)
    }

    fn of_row((id, version, body): Row) -> Self {
        Self { id: id.cast_unsigned(), version: version.cast_unsigned(), body }
    }
}

/// Id, version and body.
type Row = (i64, i64, String);

/// The table of one experiment: SQLite in memory, gone with the last clone.
#[derive(Clone, Debug)]
pub struct Items {
    pool: SqlitePool,
}

impl Items {
    /// How one item is read.
    pub const SELECT: &'static str = "SELECT id, version, body FROM items WHERE id = ?";
    /// How many items are read at once.
    pub const SELECT_MANY: &'static str =
        "SELECT id, version, body FROM items WHERE id IN (SELECT value FROM json_each(?))";
    /// How one item is written. A late write never replaces a newer one.
    pub const UPSERT: &'static str = "INSERT INTO items (id, version, body) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body
        WHERE excluded.version > items.version";

    const CREATE: &'static str =
        "CREATE TABLE items (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL)
        STRICT";

    const FILL: &'static str =
        "WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < ?)
        INSERT INTO items (id, version, body) SELECT id, 1, ? FROM ids";

    /// A table with items `1..=n`, at least one, each with `body_bytes` of text.
    ///
    /// # Errors
    /// Where SQLite has no memory for it.
    pub async fn open(n: u64, body_bytes: usize) -> Result<Self, StoreError> {
        let options =
            SqliteConnectOptions::from_str("sqlite::memory:").map_err(StoreError::Open)?;
        // A second connection would be a second database.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .map_err(StoreError::Open)?;
        let items = Self { pool };
        sqlx::query(Self::CREATE).execute(&items.pool).await?;
        sqlx::query(Self::FILL)
            .bind(n.cast_signed())
            .bind("x".repeat(body_bytes))
            .execute(&items.pool)
            .await?;
        Ok(items)
    }

    /// One item.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select(&self, id: u64) -> Result<Option<Item>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as(Self::SELECT).bind(id.cast_signed()).fetch_optional(&self.pool).await?;
        Ok(row.map(Item::of_row))
    }

    /// Many items by one query; those that do not exist are left out.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select_many(&self, ids: &[u64]) -> Result<HashMap<u64, Item>, StoreError> {
        let list = serde_json::json!(ids).to_string();
        let rows: Vec<Row> =
            sqlx::query_as(Self::SELECT_MANY).bind(list).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Item::of_row).map(|item| (item.id, item)).collect())
    }

    /// Writes items in one transaction, all or none.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn upsert(&self, items: &[Item]) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for item in items {
            sqlx::query(Self::UPSERT)
                .bind(item.id.cast_signed())
                .bind(item.version.cast_signed())
                .bind(&item.body)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The version of every item.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn versions(&self) -> Result<HashMap<u64, u64>, StoreError> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT id, version FROM items").fetch_all(&self.pool).await?;
        let unsigned = |(id, version): (i64, i64)| (id.cast_unsigned(), version.cast_unsigned());
        Ok(rows.into_iter().map(unsigned).collect())
    }

    /// Closes the database, and so forgets it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
