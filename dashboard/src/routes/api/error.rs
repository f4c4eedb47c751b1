use axum::http::StatusCode;
use strata_console::ConsoleError;

use crate::http::AppError;

impl From<ConsoleError> for AppError {
    fn from(error: ConsoleError) -> Self {
        let (status, kind) = match &error {
            ConsoleError::UnknownCache(_) => (StatusCode::NOT_FOUND, "unknown-cache"),
            ConsoleError::NodesUnheard(_) => (StatusCode::SERVICE_UNAVAILABLE, "nodes-unheard"),
            ConsoleError::BadKey { .. } => (StatusCode::BAD_REQUEST, "bad-key"),
            ConsoleError::BadPattern(_) => (StatusCode::BAD_REQUEST, "bad-pattern"),
            ConsoleError::UnknownJob(_) => (StatusCode::NOT_FOUND, "unknown-invalidation"),
            ConsoleError::UnknownPlan(_) => (StatusCode::NOT_FOUND, "unknown-plan"),
            ConsoleError::StalePlan(_) => (StatusCode::CONFLICT, "stale-plan"),
            ConsoleError::NotConfirmed => (StatusCode::CONFLICT, "not-confirmed"),
            ConsoleError::BadCursor => (StatusCode::BAD_REQUEST, "bad-cursor"),
            ConsoleError::BadLimit(_) => (StatusCode::BAD_REQUEST, "bad-limit"),
            ConsoleError::EmptyField(_) => (StatusCode::BAD_REQUEST, "empty-field"),
            ConsoleError::NodeNotNamed(_) => (StatusCode::BAD_REQUEST, "node-not-named"),
            ConsoleError::NoSource(_) => (StatusCode::CONFLICT, "no-source"),
            ConsoleError::OnlyObserved(_) => (StatusCode::CONFLICT, "only-observed"),
            ConsoleError::SourceFailed(_) => (StatusCode::SERVICE_UNAVAILABLE, "source-failed"),
            ConsoleError::NoWriteBehind(_) => (StatusCode::NOT_FOUND, "no-write-behind"),
            ConsoleError::NoDeadLetterJob(_) => (StatusCode::NOT_FOUND, "no-dead-letter-job"),
            ConsoleError::DeadLettersBusy(_) => (StatusCode::CONFLICT, "dead-letters-busy"),
            ConsoleError::DeadLettersAway(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "dead-letters-away")
            }
            ConsoleError::NoTraffic => (StatusCode::NOT_FOUND, "no-traffic"),
            ConsoleError::BadTraffic(_) => (StatusCode::BAD_REQUEST, "bad-traffic"),
            ConsoleError::NodeGone(_) => (StatusCode::SERVICE_UNAVAILABLE, "node-gone"),
            ConsoleError::NodeRefuses { .. } => (StatusCode::CONFLICT, "node-refuses"),
            ConsoleError::NodeTooOld { .. } => (StatusCode::BAD_GATEWAY, "node-too-old"),
            ConsoleError::NotUnderstood(_) => (StatusCode::BAD_GATEWAY, "node-not-understood"),
            ConsoleError::TooSlow(_) => (StatusCode::SERVICE_UNAVAILABLE, "too-slow"),
            ConsoleError::Busy { .. } => return Self::busy(error.sentence()),
            ConsoleError::Protected(why) => return Self::forbidden("protected", why),
            ConsoleError::Refused(why) => return Self::forbidden("refused", why),
        };
        Self::new(status, kind, format!("Strata failed to {error}."))
    }
}
