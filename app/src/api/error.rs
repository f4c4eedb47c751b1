use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// Why the server did not do what it was asked. Each text fits after "failed to …", except a
/// refusal, which is a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    /// The console does not allow it.
    #[error("{0}")]
    Refused(String),
    /// There is no such cache or job.
    #[error("{0}")]
    NotFound(String),
    /// What was sent makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Something that is needed is away for now.
    #[error("{0}")]
    Away(String),
    /// There is too much of it; later it is done. Pages tell it, and browsers hear of it as of a
    /// refusal.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    #[error("{0}")]
    Busy(String),
    /// The server did not answer.
    #[error("reach the server")]
    Unreachable,
    /// The server answered something that this page does not understand.
    #[error("understand the server; reload the page, it may have been updated")]
    NotUnderstood,
}

impl ApiError {
    /// The status of the answer that carries it.
    #[cfg(feature = "ssr")]
    pub fn status(&self) -> axum::http::StatusCode {
        use axum::http::StatusCode;

        match self {
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) | Self::NotUnderstood => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Away(_) | Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What a person is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => why.clone(),
            #[cfg(feature = "ssr")]
            Self::Busy(why) => why.clone(),
            other => format!("Failed to {other}."),
        }
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Args(why) | ServerFnErrorErr::MissingArg(why) => {
                Self::Invalid(format!("read what was sent: {why}"))
            }
            _ => Self::NotUnderstood,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_as_a_sentence() {
        let missing = ApiError::NotFound("find a cache named \"cats\"".to_owned());
        assert_eq!(missing.sentence(), "Failed to find a cache named \"cats\".");
        let refused = ApiError::Refused("This console is read-only.".to_owned());
        assert_eq!(refused.sentence(), "This console is read-only.");
    }

    #[test]
    fn an_error_survives_the_wire() {
        let error = ApiError::Invalid("use an empty pattern".to_owned());
        assert_eq!(ApiError::de(error.ser()), error);
    }
}
