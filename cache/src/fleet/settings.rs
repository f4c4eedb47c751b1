//! What a node tells consoles elsewhere, and what it lets them do.

use std::collections::BTreeMap;
use std::fmt;

use strata_report::FleetPolicy;

use super::signature::FleetKey;

/// The variable that holds the key of the fleet where none is set in code.
const KEY_VARIABLE: &str = "STRATA_FLEET_KEY";

/// What a node tells consoles elsewhere, and what it lets them do. The default is
/// `Fleet::reports().looks()`.
///
/// Values are shown and sources asked only where there is a key as well, since whoever can write to
/// Redis could ask otherwise. The key is `STRATA_FLEET_KEY` of the process's environment, or what
/// [`key`](Self::key) says; the console needs the same one.
///
/// ```
/// use strata_cache::Fleet;
///
/// // Looks, shows values and loads anew for consoles that have the key.
/// let fleet = Fleet::reports().looks().values().refreshes().key("a long random text");
/// # let _ = fleet;
/// ```
#[derive(Clone)]
pub struct Fleet {
    is_off: bool,
    policy: FleetPolicy,
    key: Option<FleetKey>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::reports().looks()
    }
}

impl Fleet {
    /// The node announces itself and reports its numbers, as all of these do.
    pub fn reports() -> Self {
        Self { is_off: false, policy: FleetPolicy::default(), key: None }
    }

    /// The node announces nothing and answers nobody.
    pub fn off() -> Self {
        Self { is_off: true, ..Self::reports() }
    }

    /// And it lets consoles look into its L1: keys, ages, sizes, counts, events of a key. No values.
    pub fn looks(mut self) -> Self {
        self.policy.looks = true;
        self
    }

    /// And it shows values, as each cache's [`opaque`](crate::CacheBuilder::opaque) and
    /// [`redact`](crate::CacheBuilder::redact) allow. Counts only where there is a key.
    pub fn values(mut self) -> Self {
        self.policy.values = true;
        self
    }

    /// And it loads keys anew by what [`Node::refresh_with`](crate::Node::refresh_with) was given.
    /// Counts only where there is a key.
    pub fn refreshes(mut self) -> Self {
        self.policy.refreshes = true;
        self
    }

    /// The key that consoles sign their asks with. Asks without it are refused from then on. An
    /// empty one is none.
    pub fn key(mut self, key: &str) -> Self {
        self.key = FleetKey::new(key);
        self
    }

    pub(crate) fn is_off(&self) -> bool {
        self.is_off
    }

    /// With the key of the environment where code has set none.
    pub(crate) fn or_key_of_environment(mut self) -> Self {
        self.key = self.key.or_else(key_of_environment);
        self
    }

    pub(super) fn signing_key(&self) -> Option<&FleetKey> {
        self.key.as_ref()
    }

    /// What the node really lets consoles do.
    pub(super) fn policy(&self) -> FleetPolicy {
        let has_key = self.key.is_some();
        FleetPolicy {
            looks: self.policy.looks,
            values: self.policy.values && has_key,
            refreshes: self.policy.refreshes && has_key,
        }
    }
}

pub(super) fn key_of_environment() -> Option<FleetKey> {
    std::env::var(KEY_VARIABLE).ok().and_then(|key| FleetKey::new(&key))
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Fleet");
        fields.field("is_off", &self.is_off).field("policy", &self.policy);
        fields.field("has_key", &self.key.is_some()).finish_non_exhaustive()
    }
}

/// What a service says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) host: String,
    pub(crate) app: String,
    pub(crate) version: String,
    pub(crate) environment: String,
    pub(crate) labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key_nothing_is_shown_nor_loaded() {
        let fleet = Fleet::reports().looks().values().refreshes();
        assert_eq!(fleet.policy(), FleetPolicy { looks: true, ..FleetPolicy::default() });
        let all = FleetPolicy { looks: true, values: true, refreshes: true };
        assert_eq!(fleet.clone().key("secret").policy(), all);
        assert_ne!(fleet.key("").policy(), all, "an empty key is none");
    }

    #[test]
    fn a_key_is_not_printed() {
        let printed = format!("{:?}", Fleet::reports().key("very secret"));
        assert!(!printed.contains("very secret") && printed.contains("has_key: true"), "{printed}");
    }
}
