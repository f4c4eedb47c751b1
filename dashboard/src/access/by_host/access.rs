use std::net::IpAddr;

use strata_console::{Actor, Rights};
use strata_report::Role;

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

    /// Somebody with these rights. Who may not look has none of the others either.
    pub fn only(name: impl Into<String>, rights: Rights) -> Self {
        Self { name: name.into(), rights: if rights.look { rights } else { Rights::default() } }
    }

    /// As everything behind the doors knows them.
    pub(super) fn actor(self, address: Option<IpAddr>, read_only: bool) -> Actor {
        let rights = Rights { act: self.rights.act && !read_only, ..self.rights };
        if !rights.look {
            return Actor { address, ..Actor::nobody() };
        }
        let role = if rights.act { Role::Operator } else { Role::Viewer };
        Actor { name: self.name, role, rights, address, is_known: true, rejected: None }
    }
}
