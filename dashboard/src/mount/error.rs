use strata_app::BasePathError;
use strata_console::ProtectedError;

/// Why a dashboard cannot be mounted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// There is no tokio runtime for its background tasks.
    #[error("start the dashboard outside of a tokio runtime")]
    NoRuntime,
    /// Its nodes do not share their keys. Mount a dashboard for each namespace.
    #[error("show nodes of the namespaces {first:?} and {other:?} in one dashboard")]
    Namespaces {
        /// The namespace of the first node.
        first: String,
        /// Another one.
        other: String,
    },
    /// Its nodes do not share their data. Give each the same address of Redis, or mount a dashboard
    /// for each Redis.
    #[error("show nodes of several Redis in one dashboard: {first} and {other}")]
    Redis {
        /// The first node, and where its Redis is.
        first: String,
        /// Another one.
        other: String,
    },
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
    /// A text that is no address of a site. It is not repeated, because it might hold a password.
    #[error("use a public URL: {0}")]
    PublicUrl(String),
    /// Two of its metrics have one name, which is a fault of Strata.
    #[error("register the metrics of the dashboard: {0}")]
    Metrics(String),
}
