use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use super::StoreError;
use super::row_locks::RowLocks;

const FILE_NAME: &str = "strata-demo.sqlite";
const N_READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The demo's database. Cheap to clone; all clones are the same store.
///
/// Reads run side by side. Writes take turns on one connection, so that none fails because the
/// database is locked.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) reads: SqlitePool,
    pub(super) writes: SqlitePool,
    pub(crate) row_locks: Arc<RowLocks>,
}

impl Store {
    /// Opens the SQLite file at `url`, or one of its own in `dir`, and brings its schema up to
    /// date. A file that is not there is made. See [`Store::seed`] for its rows.
    ///
    /// # Errors
    /// Where the address is not one of a SQLite file, or the file cannot be opened or migrated.
    pub async fn open(url: Option<&str>, dir: &Path) -> Result<Self, StoreError> {
        let options = match url {
            Some(url) => options_of(url)?,
            None => {
                std::fs::create_dir_all(dir).map_err(StoreError::Dir)?;
                SqliteConnectOptions::new().filename(dir.join(FILE_NAME))
            }
        };
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT);
        let writes = pool(options.clone(), 1).await?;
        sqlx::migrate!().run(&writes).await?;
        let reads = pool(options, N_READERS).await?;
        Ok(Self { reads, writes, row_locks: Arc::default() })
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// Where it gives none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let _: i64 = sqlx::query_scalar("SELECT 1").fetch_one(&self.reads).await?;
        Ok(())
    }

    /// Closes every connection once it is idle. Later calls fail.
    pub async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }

    // Committed by hand, because a RETURNING statement hands out its row before it commits.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writes.begin_with("BEGIN IMMEDIATE").await?)
    }
}

async fn pool(options: SqliteConnectOptions, max: u32) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(max)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(StoreError::Open)
}

// A database in memory would be another one for each connection, so it is refused.
fn options_of(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let refused = || StoreError::Url(url.to_owned());
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !url.starts_with("sqlite:") || in_memory {
        return Err(refused());
    }
    SqliteConnectOptions::from_str(url).map_err(|_| refused())
}
