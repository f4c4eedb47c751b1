use std::fmt;
use std::str::FromStr;

/// What a request brings along, whatever it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctx {
    /// Who asks. Checked after the cache is read, so that a cached answer is guarded like any other.
    pub actor: Caller,
    /// Whether a cached answer will do.
    pub freshness: Freshness,
}

/// Who asks the demo service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Somebody unknown: sees what is public, changes nothing.
    Guest,
    /// A user: also sees and changes what is their own.
    User(i64),
    /// Sees and changes everything.
    Admin,
}

/// Whether a cached answer will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Any fresh entry will do.
    #[default]
    Cached,
    /// Only the source will do, and its answer is not stored.
    Bypass,
}

impl Ctx {
    /// A caller for whom a cached answer will do.
    pub fn of(actor: Caller) -> Self {
        Self { actor, freshness: Freshness::Cached }
    }

    /// The same caller, going around the cache.
    pub fn bypassing(self) -> Self {
        Self { freshness: Freshness::Bypass, ..self }
    }
}

impl Caller {
    /// Whether what belongs to user `owner` may be seen in full and changed.
    pub fn owns(self, owner: i64) -> bool {
        match self {
            Self::Guest => false,
            Self::User(id) => id == owner,
            Self::Admin => true,
        }
    }
}

impl Freshness {
    /// What a `Cache-Control` request header asks for.
    pub fn from_cache_control(header: &str) -> Self {
        let bypass = header.split(',').map(str::trim).any(|directive| {
            directive.eq_ignore_ascii_case("no-cache") || directive.eq_ignore_ascii_case("no-store")
        });
        if bypass { Self::Bypass } else { Self::Cached }
    }
}

/// `guest`, `user:17` or `admin`.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest => f.write_str("guest"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

/// The text is no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the caller: it must be guest, admin or user:ID")]
pub struct CallerError;

impl FromStr for Caller {
    type Err = CallerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "guest" => Ok(Self::Guest),
            "admin" => Ok(Self::Admin),
            _ => {
                let id = text.strip_prefix("user:").and_then(|id| id.parse().ok());
                id.filter(|id| *id > 0).map(Self::User).ok_or(CallerError)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_reads_back_from_its_text() {
        for caller in [Caller::Guest, Caller::User(17), Caller::Admin] {
            assert_eq!(caller.to_string().parse(), Ok(caller));
        }
        for text in ["", "root", "user:", "user:0", "user:-1", "user:x"] {
            assert_eq!(text.parse::<Caller>(), Err(CallerError), "{text}");
        }
    }

    #[test]
    fn only_no_cache_and_no_store_go_around_the_cache() {
        assert_eq!(Freshness::from_cache_control("max-age=0, No-Cache"), Freshness::Bypass);
        assert_eq!(Freshness::from_cache_control("no-store"), Freshness::Bypass);
        assert_eq!(Freshness::from_cache_control("max-age=60"), Freshness::Cached);
        assert_eq!(Freshness::from_cache_control(""), Freshness::Cached);
    }
}
