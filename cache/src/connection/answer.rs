//! Classifies Redis's errors: Redis is lost, or it is there and refuses one command.

#[cfg(all(test, feature = "redis"))]
mod tests {
    use std::io;

    use redis::{ServerErrorKind, make_extension_error};

    use super::*;

    /// Builds an error as redis-rs parses an error reply.
    fn reply(code: &str) -> RedisError {
        let known = [
            ("ERR", ServerErrorKind::ResponseError),
            ("EXECABORT", ServerErrorKind::ExecAbort),
            ("LOADING", ServerErrorKind::BusyLoading),
            ("NOSCRIPT", ServerErrorKind::NoScript),
            ("MOVED", ServerErrorKind::Moved),
            ("ASK", ServerErrorKind::Ask),
            ("TRYAGAIN", ServerErrorKind::TryAgain),
            ("CLUSTERDOWN", ServerErrorKind::ClusterDown),
            ("CROSSSLOT", ServerErrorKind::CrossSlot),
            ("MASTERDOWN", ServerErrorKind::MasterDown),
            ("READONLY", ServerErrorKind::ReadOnly),
            ("NOPERM", ServerErrorKind::NoPerm),
        ];
        match known.iter().find(|(known, _)| *known == code) {
            Some((_, kind)) => (ErrorKind::Server(*kind), "reply", "said so".to_owned()).into(),
            None => make_extension_error(code.to_owned(), Some("said so".to_owned())),
        }
    }

    #[test]
    fn each_code_has_its_verdict() {
        for (code, verdict) in [
            ("LOADING", ErrorClass::Lost),
            ("MASTERDOWN", ErrorClass::Lost),
            ("CLUSTERDOWN", ErrorClass::Lost),
            ("TRYAGAIN", ErrorClass::TryAgain),
            ("BUSY", ErrorClass::TryAgain),
            ("NOPERM", ErrorClass::Refused),
            ("OOM", ErrorClass::Refused),
            ("MISCONF", ErrorClass::Refused),
            ("NOREPLICAS", ErrorClass::Refused),
            ("READONLY", ErrorClass::Refused),
            ("WRONGTYPE", ErrorClass::Refused),
            ("NOSCRIPT", ErrorClass::Refused),
            ("EXECABORT", ErrorClass::Refused),
            ("CROSSSLOT", ErrorClass::Refused),
            ("MOVED", ErrorClass::Refused),
            ("ASK", ErrorClass::Refused),
            ("NOAUTH", ErrorClass::Refused),
            ("ERR", ErrorClass::Refused),
            ("SOMETHINGNEW", ErrorClass::Refused),
        ] {
            let answer = ErrorReply::read(&reply(code));
            assert_eq!((&*answer.code, answer.verdict), (code, verdict));
            let is_moved = matches!(code, "MOVED" | "ASK");
            assert!(is_moved || answer.message == "said so", "{answer:?}");
        }
    }

    #[test]
    fn where_in_a_script_it_was_is_left_out() {
        let said = "Not enough good replicas to write. script: e1a05ad7, on @user_script:43.";
        let error = make_extension_error("NOREPLICAS".to_owned(), Some(said.to_owned()));
        assert_eq!(
            ErrorReply::read(&error).to_string(),
            "NOREPLICAS: Not enough good replicas to write"
        );
    }

    #[test]
    fn a_moved_slot_is_told_with_its_node() {
        let error = (ErrorKind::Server(ServerErrorKind::Moved), "", "42 10.0.0.7:6379".to_owned());
        let answer = ErrorReply::read(&RedisError::from(error));
        assert_eq!(answer.to_string(), "MOVED: slot 42 lies on 10.0.0.7:6379");
    }

    #[test]
    fn without_an_answer_redis_is_lost() {
        for (kind, code) in [
            (io::ErrorKind::ConnectionRefused, "CONNECTION"),
            (io::ErrorKind::BrokenPipe, "CONNECTION"),
            (io::ErrorKind::UnexpectedEof, "CONNECTION"),
            (io::ErrorKind::TimedOut, "TIMEOUT"),
        ] {
            let answer = ErrorReply::read(&io::Error::from(kind).into());
            assert_eq!((&*answer.code, answer.verdict), (code, ErrorClass::Lost), "{kind:?}");
        }
    }

    #[test]
    fn what_the_caller_got_wrong_is_no_loss() {
        let error = RedisError::from((ErrorKind::UnexpectedReturnType, "not a number"));
        let answer = ErrorReply::read(&error);
        assert_eq!((&*answer.code, answer.verdict), ("CLIENT", ErrorClass::Refused));
    }
}

use std::borrow::Cow;
use std::fmt;

use redis::RedisError;

#[cfg(feature = "redis")]
use redis::ErrorKind;

/// What an error, or a missing answer, means for the connection to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErrorClass {
    /// Redis is there and refuses this command. Other commands are not affected.
    Refused,
    /// The same command may succeed in a moment.
    TryAgain,
    /// No Redis can serve commands.
    Lost,
}

/// The classes of known codes. Every other code is a refusal.
#[cfg(feature = "redis")]
const CODES: [(&str, ErrorClass); 11] = [
    ("LOADING", ErrorClass::Lost),
    ("MASTERDOWN", ErrorClass::Lost),
    ("CLUSTERDOWN", ErrorClass::Lost),
    // Strata's own: no connection could be made.
    ("CONNECTION", ErrorClass::Lost),
    ("TIMEOUT", ErrorClass::Lost),
    ("TLS", ErrorClass::Lost),
    ("LOGIN", ErrorClass::Lost),
    ("SENTINEL", ErrorClass::Lost),
    ("CLUSTER", ErrorClass::Lost),
    ("TRYAGAIN", ErrorClass::TryAgain),
    ("BUSY", ErrorClass::TryAgain),
];

/// The code and message of an error as Redis gives it, and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorReply {
    pub(crate) verdict: ErrorClass,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl ErrorReply {
    /// No answer arrived in time.
    pub(crate) fn timed_out(what: &str) -> Self {
        Self { verdict: ErrorClass::Lost, code: Cow::Borrowed("TIMEOUT"), message: what.to_owned() }
    }

    /// Two connections to one address reach two different servers.
    pub(crate) fn two_servers() -> Self {
        Self::lost("CONNECTION", "another server answers at the address by now".to_owned())
    }

    /// Reads an error. For a pipeline or transaction, the worst of its errors counts.
    #[cfg(feature = "redis")]
    pub(crate) fn read(error: &RedisError) -> Self {
        // redis-rs gives no code for a pipeline, nor for an aborted transaction.
        if let Some(errors) = error.clone().into_server_errors() {
            let answers = errors.iter().map(|(_, error)| {
                let message = error.details().unwrap_or_default().to_owned();
                Self::of_code(error.code(), message)
            });
            if let Some(worst) = answers.max_by_key(|answer| answer.verdict) {
                return worst;
            }
        }
        let message = error.to_string();
        match error.kind() {
            ErrorKind::Io if error.is_timeout() => Self::lost("TIMEOUT", message),
            // After an answer that cannot be parsed, the connection is out of step.
            ErrorKind::Io | ErrorKind::Parse => Self::lost("CONNECTION", message),
            // redis-rs hides Redis's own message here.
            ErrorKind::AuthenticationFailed => Self::refused("WRONGPASS", message),
            ErrorKind::Server(_) => {
                let code = error.code().unwrap_or("ERR").to_owned();
                Self::of_code(&code, error.detail().unwrap_or_default().to_owned())
            }
            _ => Self::refused("CLIENT", message),
        }
    }

    #[cfg(not(feature = "redis"))]
    pub(crate) fn read(error: &RedisError) -> Self {
        Self::lost("CONNECTION", error.to_string())
    }

    /// An error of Strata's own: the server is not suitable.
    pub(crate) fn refusal(code: &str, said: String) -> RedisError {
        #[cfg(feature = "redis")]
        return redis::make_extension_error(code.to_owned(), Some(said));
        #[cfg(not(feature = "redis"))]
        return RedisError::from(std::io::Error::other(format!("{code}: {said}")));
    }

    /// Whether only the connection is gone, so that another one may be tried.
    pub(crate) fn is_disconnect(&self) -> bool {
        self.verdict == ErrorClass::Lost && self.code == "CONNECTION"
    }

    #[cfg(feature = "redis")]
    fn of_code(code: &str, message: String) -> Self {
        // In a script, Redis 7 reports this without the code: "The user executing the script can't
        // run this command", "ACL failure in script".
        let lacks_permission = code == "ERR"
            && ["The user executing the script can't", "ACL failure in script"]
                .iter()
                .any(|says| message.contains(says));
        let code = if lacks_permission { "NOPERM" } else { code };
        let message = match (code, message.split_once(' ')) {
            ("MOVED" | "ASK", Some((slot, node))) => format!("slot {slot} lies on {node}"),
            _ => message,
        };
        // The script and line number in the message mean nothing to its reader.
        let message = message.split(" script: ").next().unwrap_or_default();
        let message = message.trim().trim_end_matches('.').to_owned();
        let verdict = CODES.iter().find(|(known, _)| *known == code).map(|(_, verdict)| *verdict);
        let verdict = verdict.unwrap_or(ErrorClass::Refused);
        Self { verdict, code: Cow::Owned(code.to_owned()), message }
    }

    fn lost(code: &'static str, message: String) -> Self {
        Self { verdict: ErrorClass::Lost, code: Cow::Borrowed(code), message }
    }

    #[cfg(feature = "redis")]
    fn refused(code: &'static str, message: String) -> Self {
        Self { verdict: ErrorClass::Refused, code: Cow::Borrowed(code), message }
    }
}

/// L2 did not answer, or refused. The read continues at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// Why one call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// There was no answer, or no attempt: the breaker is open, or too many calls wait.
    Away,
    /// Redis refused this call.
    Refused(ErrorReply),
}

impl CallError {
    /// Another server is the one to use by now.
    pub(crate) fn is_moved(&self) -> bool {
        matches!(self, Self::Refused(answer) if matches!(&*answer.code, "MOVED" | "READONLY"))
    }

    pub(crate) fn of(error: &RedisError) -> Self {
        let answer = ErrorReply::read(error);
        match answer.verdict {
            ErrorClass::Lost => Self::Away,
            ErrorClass::Refused | ErrorClass::TryAgain => Self::Refused(answer),
        }
    }
}

impl From<CallError> for Away {
    fn from(_: CallError) -> Self {
        Self
    }
}
