use sqlx::error::ErrorKind;

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one of a SQLite file.
    #[error("use {0:?} as the database: it must be sqlite:PATH, and a file")]
    Url(String),
    /// The directory for the file could not be made.
    #[error("make the directory for the database")]
    Dir(#[source] std::io::Error),
    /// The file could not be opened.
    #[error("open the database")]
    Open(#[source] sqlx::Error),
    /// Its schema could not be brought up to date.
    #[error("migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The row is not there.
    #[error("find the row")]
    Missing,
    /// The row has another version than the one the writer had read.
    #[error("change the row: it has changed since it was read")]
    Outdated,
    /// Another row has the unique value.
    #[error("store the row: another one has the same e-mail address")]
    Taken,
    /// The database answered with an error.
    #[error("query the database")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(|error| error.kind()) {
            Some(ErrorKind::UniqueViolation) => Self::Taken,
            Some(ErrorKind::ForeignKeyViolation) => Self::Missing,
            _ => Self::Query(error),
        }
    }
}
