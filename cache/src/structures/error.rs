use crate::connection::CallError;

/// Why an operation on a structure failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// Redis did not answer within the node's hard timeout, is known to be away, or the node has no
    /// Redis. A write whose answer was lost on its way may have taken effect; it is never sent
    /// twice.
    #[error("ask Redis: it is away")]
    Away,
    /// The key has a value of another kind, or a counter's key has text that is not a number.
    /// Nothing was changed.
    #[error("use what lies at the key: it is of another kind")]
    WrongType,
    /// The time to live was zero. Nothing was changed.
    #[error("write without a time to live")]
    NoTimeToLive,
    /// The counter would leave the range of `i64`. Nothing was changed.
    #[error("count beyond the range of a 64-bit integer")]
    Overflow,
    /// Redis's memory is full and its policy evicts nothing. Nothing was changed.
    #[error("write to Redis: its memory is full")]
    Full,
    /// Redis refused this call for another reason, such as missing permission. The node's report
    /// has the code. Nothing was changed.
    #[error("ask Redis: it refused")]
    Refused,
}

impl StructureError {
    pub(super) fn of(failed: &CallError) -> Self {
        let CallError::Refused(answer) = failed else { return Self::Away };
        match &*answer.code {
            "WRONGTYPE" => Self::WrongType,
            "OOM" => Self::Full,
            "ERR" if answer.message.contains("not an integer") => Self::WrongType,
            "ERR" if answer.message.contains("overflow") => Self::Overflow,
            _ => Self::Refused,
        }
    }
}
