//! How many nodes there should be, and where.

use std::time::Duration;

use strata_console::ExpectedNodes;

use super::list::Services;
use super::service_id::ServiceId;
use super::watched_redis::WatchedRedis;

/// So long after the start it may still be found.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

impl Services {
    /// How many nodes there should be of a service: of its namespace by name, and of each program once
    /// a node of it was heard. Where it is the only one, all that are expected are expected here.
    pub(super) fn expected_of(&self, id: &ServiceId) -> (Vec<ExpectedNodes>, Vec<ExpectedNodes>) {
        let is_only = self.settings.wanted.len() == 1 && self.redis.len() == 1;
        let (mut here, others): (Vec<_>, Vec<_>) =
            self.settings.expected.iter().cloned().partition(|one| is_only || is_named(id, one));
        // Its console knows it by its namespace.
        for one in here.iter_mut().filter(|one| one.app == id.to_string()) {
            one.app.clone_from(&id.namespace);
        }
        (here, others)
    }

    /// What is expected and was heard of nowhere, each as a sentence. No service can tell of it.
    pub(super) fn missing(&self) -> Vec<String> {
        if self.began.elapsed() < FOUND_WITHIN {
            return Vec::new();
        }
        let services = self.all();
        let is_told = |one: &&ExpectedNodes| {
            services.iter().any(|at| is_named(&at.id, one) || at.console.expects(&one.app))
        };
        let expected = self.settings.expected.iter();
        let unreachable = self.redis.iter().filter(|redis| !redis.tells());
        let unreachable: Vec<_> = unreachable.map(WatchedRedis::shown_name).collect();
        let but = match unreachable.as_slice() {
            [] => ".".to_owned(),
            some => format!("; {} cannot be asked.", some.join(", ")),
        };
        let sentence = |one: &ExpectedNodes| {
            let ExpectedNodes { app, nodes } = one;
            format!(
                "0 of {nodes} nodes of {app} are heard: no service and no node has this name{but}"
            )
        };
        expected.filter(|one| !is_told(one)).map(sentence).collect()
    }
}

/// Whether it is expected of this service by its name.
fn is_named(id: &ServiceId, one: &ExpectedNodes) -> bool {
    id.namespace == one.app || id.to_string() == one.app
}
