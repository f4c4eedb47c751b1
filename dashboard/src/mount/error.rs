use strata_app::BasePathError;
use strata_console::ProtectedError;

/// Why a dashboard cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// There is no tokio runtime for its background tasks.
    #[error("start the dashboard outside of a tokio runtime")]
    NoRuntime,
    /// A text that should name protected keys does not.
    #[error("protect {text:?}")]
    Protected {
        /// The text.
        text: String,
        /// What is wrong with it.
        #[source]
        reason: ProtectedError,
    },
    /// A text that is no path.
    #[error("use a public path")]
    PublicPath(#[source] BasePathError),
    /// Two metrics have one name.
    #[error("register the metrics of the dashboard")]
    Metrics(#[source] prometheus::Error),
}
