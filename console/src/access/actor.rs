use std::net::IpAddr;

use strata_report::{Role, WriteBehindReport};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name that the audit trail shows.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// What they may do.
    pub rights: Rights,
    /// Where they ask from, as far as it is known.
    pub address: Option<IpAddr>,
    /// Whether a token, a session or a trusted proxy says who it is, or it is this machine's own
    /// person.
    pub is_known: bool,
    /// What they presented in vain.
    pub rejected: Option<RejectedCredential>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// See numbers, keys and the audit trail.
    pub look: bool,
    /// See the values of entries.
    pub values: bool,
    /// Change something.
    pub act: bool,
}

/// Something that was presented and gives no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectedCredential {
    /// A token that is none of ours, or no longer.
    Token,
    /// A session that has ended.
    Session,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of who asks, as far as it is known.
    pub address: Option<IpAddr>,
    /// Whether it came straight from this machine.
    pub is_local: bool,
    /// The name that a trusted proxy gives to who asks.
    pub user: Option<String>,
}

impl Rights {
    pub(super) fn all(read_only: bool) -> Self {
        Self { look: true, values: true, act: !read_only }
    }
}

impl Actor {
    pub(super) fn new(name: &str, rights: Rights, origin: &Origin) -> Self {
        Self {
            name: origin.user.clone().unwrap_or_else(|| name.to_owned()),
            role: if rights.act { Role::Operator } else { Role::Viewer },
            rights,
            address: origin.address,
            is_known: origin.user.is_some(),
            rejected: None,
        }
    }

    /// Whether nothing is known of them but an address, and they may do nothing but look.
    pub fn is_anonymous(&self) -> bool {
        !self.is_known && !self.rights.act
    }

    /// Hides the sink's text, which may quote values, where they may not see values.
    pub fn cover(&self, writes: &mut WriteBehindReport) {
        if !self.rights.values {
            writes.last_error = None;
        }
    }

    /// Somebody of whom nothing is known, and who may do nothing.
    pub fn nobody() -> Self {
        Self::new("nobody", Rights::default(), &Origin::default())
    }

    /// The program itself, or a test of it, which may do everything.
    pub fn local() -> Self {
        Self::new("local", Rights::all(false), &Origin::default())
    }
}
