//! What an invalidation is about.

use strata_report::Scope;

use crate::pattern::Pattern;

/// What is invalidated in one cache: the same type from the request of a console to the message on
/// the bus and the queue of what could not reach Redis.
///
/// ```
/// use strata_cache::Target;
/// use strata_cache::report::Scope;
///
/// let target = Target::key("7");
/// assert_eq!((target.scope(), target.text()), (Scope::Key, "7"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// One key, as text.
    Key(String),
    /// Every key that matches.
    Pattern(Pattern),
    /// Every entry that carries the tag.
    Tag(String),
    /// The whole cache.
    All,
}

impl Target {
    /// One key.
    pub fn key(text: impl Into<String>) -> Self {
        Self::Key(text.into())
    }

    /// Every entry that carries a tag.
    pub fn tag(name: impl Into<String>) -> Self {
        Self::Tag(name.into())
    }

    /// Every key that matches, or the whole cache.
    pub(crate) fn matching(pattern: Option<&Pattern>) -> Self {
        pattern.map_or(Self::All, |pattern| Self::Pattern(pattern.clone()))
    }

    /// What kind it is, as metrics and the wire name it.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Key(_) => Scope::Key,
            Self::Pattern(_) => Scope::Pattern,
            Self::Tag(_) => Scope::Tag,
            Self::All => Scope::All,
        }
    }

    /// The key, the pattern or the tag. Empty for the whole cache.
    pub fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Tag(text) => text,
            Self::Pattern(pattern) => pattern.as_str(),
            Self::All => "",
        }
    }
}

impl From<Pattern> for Target {
    fn from(pattern: Pattern) -> Self {
        Self::Pattern(pattern)
    }
}
