//! What a node tells consoles elsewhere, and what it lets them do.

use std::collections::BTreeMap;
use std::fmt;

use strata_report::FleetPolicy;

use super::signature::FleetKey;

/// The variable that holds the key of the fleet where none is set in code.
const KEY_VARIABLE: &str = "STRATA_FLEET_KEY";

/// What a node tells consoles elsewhere, and what it lets them do: reports, looks, values,
/// refreshes, each with all before it; and to move dead letters, with all but refreshes. The default is `Fleet::reports().looks()`: numbers, and
/// looks into L1 without values.
///
/// Values are shown, sources asked and dead letters moved only where there is a key as well, since whoever can write to
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
    /// Code has said which key, or that there is none.
    has_chosen_key: bool,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::reports().looks()
    }
}

impl Fleet {
    /// The node announces itself and reports its numbers, as all of these do.
    pub fn reports() -> Self {
        Self { is_off: false, policy: FleetPolicy::default(), key: None, has_chosen_key: false }
    }

    /// The node announces nothing and answers nobody.
    pub fn off() -> Self {
        Self { is_off: true, ..Self::reports() }
    }

    /// And it lets consoles look into its L1: keys, ages, sizes, counts, events of a key, dead letters.
    /// No values.
    pub fn looks(mut self) -> Self {
        self.policy.looks = true;
        self
    }

    /// And it shows values, as each cache's [`opaque`](crate::CacheBuilder::opaque) and
    /// [`redact`](crate::CacheBuilder::redact) allow. Counts only where there is a key.
    pub fn values(mut self) -> Self {
        self.policy.values = true;
        self.looks()
    }

    /// And it loads keys anew by what [`Node::refresh_with`](crate::Node::refresh_with) was given.
    /// Counts only where there is a key.
    pub fn refreshes(mut self) -> Self {
        self.policy.refreshes = true;
        self.values()
    }

    /// And it queues dead letters again and drops them, which loses their writes. Allows all that
    /// [`values`](Self::values) does. Counts only where there is a key.
    pub fn moves_dead_letters(mut self) -> Self {
        self.policy.moves_dead_letters = true;
        self.values()
    }

    /// The key that consoles sign their asks with. Asks without it are refused from then on. An
    /// empty one is none, whatever `STRATA_FLEET_KEY` says.
    pub fn key(mut self, key: &str) -> Self {
        self.key = FleetKey::new(key);
        self.has_chosen_key = true;
        self
    }

    pub(crate) fn is_off(&self) -> bool {
        self.is_off
    }

    /// With the key of the environment where code has set none.
    pub(crate) fn or_key_of_environment(self) -> Self {
        self.or_key(key_of_environment)
    }

    fn or_key(mut self, otherwise: impl FnOnce() -> Option<FleetKey>) -> Self {
        if !self.has_chosen_key {
            self.key = otherwise();
        }
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
            moves_dead_letters: self.policy.moves_dead_letters && has_key,
        }
    }
}

pub(crate) fn key_of_environment() -> Option<FleetKey> {
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
        let fleet = Fleet::reports().looks().values().refreshes().moves_dead_letters();
        assert_eq!(fleet.policy(), FleetPolicy { looks: true, ..FleetPolicy::default() });
        let all =
            FleetPolicy { looks: true, values: true, refreshes: true, moves_dead_letters: true };
        assert_eq!(fleet.clone().key("secret").policy(), all);
        assert_ne!(fleet.key("").policy(), all, "an empty key is none");
    }

    #[test]
    fn each_step_allows_what_those_before_it_allow() {
        let all =
            FleetPolicy { looks: true, values: true, refreshes: true, ..FleetPolicy::default() };
        assert_eq!(Fleet::reports().refreshes().key("secret").policy(), all);
        let values = Fleet::reports().values().key("secret").policy();
        assert_eq!(values, FleetPolicy { refreshes: false, ..all });
        let moves = Fleet::reports().moves_dead_letters().key("secret").policy();
        assert_eq!(moves, FleetPolicy { refreshes: false, moves_dead_letters: true, ..all });
        let looks = FleetPolicy { looks: true, ..FleetPolicy::default() };
        assert_eq!(Fleet::default().key("secret").policy(), looks);
    }

    #[test]
    fn code_says_the_key_before_the_environment_does_though_it_says_none() {
        let of_environment = || FleetKey::new("of the environment");
        assert!(Fleet::reports().or_key(of_environment).signing_key().is_some());
        assert!(Fleet::reports().key("").or_key(of_environment).signing_key().is_none());
    }

    #[test]
    fn a_key_is_not_printed() {
        let printed = format!("{:?}", Fleet::reports().key("very secret"));
        assert!(!printed.contains("very secret") && printed.contains("has_key: true"), "{printed}");
    }
}
