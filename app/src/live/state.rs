/// How the page stands with the server. The page's own script finds it out, and says it in one of
/// these words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LiveState {
    /// Asking for the stream for the first time, or after a pause.
    #[default]
    Connecting,
    /// A frame arrives each second.
    Live,
    /// Somebody stopped the numbers to read them.
    Paused,
    /// The stream broke or fell silent; it is asked for again and again.
    Lost,
    /// The server is of another build than the page, which must be reloaded.
    #[cfg_attr(
        not(any(feature = "csr", test)),
        expect(dead_code, reason = "the server draws no page that stands so")
    )]
    Updated,
}

impl LiveState {
    #[cfg(any(feature = "csr", test))]
    const ALL: [Self; 5] = [Self::Connecting, Self::Live, Self::Paused, Self::Lost, Self::Updated];

    /// The state of a word.
    #[cfg(any(feature = "csr", test))]
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The word on the screen.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live => "Live",
            Self::Paused => "Paused",
            Self::Lost => "Lost",
            Self::Updated => "Updated",
        }
    }

    /// What that means for the numbers.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Connecting => "Asking the server for live numbers.",
            Self::Live => "New numbers arrive once a second.",
            Self::Paused => "The numbers stand still until you resume.",
            Self::Lost => "The numbers stand still; the page keeps trying.",
            Self::Updated => "The numbers stand still until you reload the page.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_known_by_its_word() {
        for state in LiveState::ALL {
            assert_eq!(LiveState::of(state.as_str()), Some(state));
        }
        assert_eq!(LiveState::of("Asleep"), None);
    }
}
