//! The names of the Lua scripts, which slow logs and traces show.

use crate::connection::NamedScript;
use crate::{bus, connection, l2, structures, write_behind};

/// The name of a Lua script of this crate, such as `commit` or `queue claim`, by the SHA-1 that
/// `EVALSHA` sends. `None` if the script is not one of this crate. Use it to show Redis's commands,
/// as from its slow log.
pub fn script_name(sha1: &str) -> Option<&'static str> {
    let is_asked = |(_, script): &&NamedScript| script.get_hash().eq_ignore_ascii_case(sha1);
    all().find(is_asked).map(|(name, _)| *name)
}

fn all() -> impl Iterator<Item = &'static NamedScript> {
    let all = [
        connection::SCRIPTS,
        bus::SCRIPTS,
        l2::SCRIPTS,
        write_behind::SCRIPTS,
        structures::SCRIPTS,
        super::journal::NAMED,
        #[cfg(feature = "fleet")]
        crate::fleet::SCRIPTS,
    ];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_script_has_a_name_of_its_own() {
        let names: Vec<&str> = all().map(|(name, _)| *name).collect();
        let apart: HashSet<&str> = names.iter().copied().collect();
        assert_eq!(apart.len(), names.len(), "{names:?}");
        assert!(apart.contains("claim") && apart.contains("queue claim"));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_script_is_named_by_its_hash() {
        for (name, script) in all() {
            assert_eq!(script_name(script.get_hash()), Some(*name));
            assert_eq!(script_name(&script.get_hash().to_uppercase()), Some(*name));
        }
    }

    #[test]
    fn a_script_of_somebody_else_has_no_name() {
        assert_eq!(script_name(&"0".repeat(40)), None);
        assert_eq!(script_name(""), None);
    }
}
