/// How the page stands with the server.
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
}

impl LiveState {
    /// The word on the screen.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live => "Live",
            Self::Paused => "Paused",
            Self::Lost => "Lost",
        }
    }

    /// What that means for the numbers.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Connecting => "Asking the server for live numbers.",
            Self::Live => "New numbers arrive once a second.",
            Self::Paused => "The numbers stand still until you go on.",
            Self::Lost => {
                "The server is silent. These are its last numbers, and they stand still; the page keeps trying."
            }
        }
    }
}
