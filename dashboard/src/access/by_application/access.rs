use std::net::IpAddr;

use strata_console::{Actor, Rights};
use strata_report::Role;

use crate::access::name::readable;

/// Whom the application gives rights without a name.
const UNNAMED: &str = "unnamed";

/// Who asks, and what they may do, as the application around the dashboard says.
///
/// ```
/// use strata_dashboard::{Access, Rights};
///
/// let _nobody = Access::nobody();
/// let _looks = Access::viewer("eva");
/// let _looks_reads_values_and_acts = Access::operator("anna");
/// let _looks_and_reads_values =
///     Access::only("ben", Rights { look: true, values: true, act: false });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    name: String,
    rights: Rights,
}

impl Access {
    /// Somebody who may not even look.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Somebody who may see numbers, keys and the audit trail, and no values.
    pub fn viewer(name: impl Into<String>) -> Self {
        Self::only(name, Rights { look: true, values: false, act: false })
    }

    /// Somebody who may look, read values and act. The audit trail shows the name.
    pub fn operator(name: impl Into<String>) -> Self {
        Self::only(name, Rights { look: true, values: true, act: true })
    }

    /// Somebody with these rights. Without the right to look there are none of the others either.
    ///
    /// Pages and the audit trail show the first 64 characters of the name, without control characters.
    /// An empty name is shown as `unnamed`.
    pub fn only(name: impl Into<String>, rights: Rights) -> Self {
        let name = readable(&name.into()).unwrap_or_else(|| UNNAMED.to_owned());
        Self { name, rights: if rights.look { rights } else { Rights::default() } }
    }

    /// As all that comes after admission knows them.
    pub(super) fn actor(self, address: Option<IpAddr>, read_only: bool) -> Actor {
        let rights = Rights { act: self.rights.act && !read_only, ..self.rights };
        if !rights.look {
            return Actor { address, ..Actor::nobody() };
        }
        let role = if rights.act { Role::Operator } else { Role::Viewer };
        Actor { name: self.name, role, rights, address, is_known: true, rejected: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_the_audit_trail_can_show_it() {
        let name = |name: &str| Access::operator(name).name;
        assert_eq!(name(" anna\n\u{1b}[2J\u{0}"), "anna[2J");
        assert_eq!(name(&"\u{e4}".repeat(65)), "\u{e4}".repeat(64));
        for empty in ["", " ", "\n"] {
            assert_eq!(name(empty), "unnamed");
        }
    }
}
