use redis::RedisError;

/// Why an operation on a structure failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// Redis did not answer within the node's hard timeout, is known to be away, or the node has
    /// none. A write whose answer was lost on its way may have taken effect; it is never sent
    /// twice.
    #[error("ask Redis: it is away")]
    Away,
    /// Another kind of value lies at the key, or text that is no number at a counter's. Nothing
    /// was changed.
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
}

impl StructureError {
    /// What Redis answered to this one call; `None` where Redis itself is unwell.
    pub(super) fn of(error: &RedisError) -> Option<Self> {
        let says = |text: &str| error.detail().is_some_and(|detail| detail.contains(text));
        match error.code()? {
            "WRONGTYPE" => Some(Self::WrongType),
            "OOM" => Some(Self::Full),
            "ERR" if says("not an integer") => Some(Self::WrongType),
            "ERR" if says("overflow") => Some(Self::Overflow),
            _ => None,
        }
    }
}
