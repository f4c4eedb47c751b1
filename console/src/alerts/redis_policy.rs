use strata_report::{Alert, Severity, may_evict_data};

use super::view::{View, alert};

const EVICTS_CACHES_ONLY: &str = "Set maxmemory, and maxmemory-policy to volatile-lfu or volatile-lru: entries of caches have a time to live and make room, while unwritten writes and structures have none and stay.";

/// Redis evicts what nobody could load again, or refuses writes when it is full.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let redis = &view.frame.redis;
    let keeps_data = view.nodes.iter().any(|node| node.keeps_data_in_redis());
    let found = match redis.policy.as_deref() {
        Some(policy) if may_evict_data(policy) && keeps_data => evicts_data(view, policy),
        Some("noeviction") => never_evicts(redis.max_memory_bytes, keeps_data),
        _ => return Vec::new(),
    };
    vec![found]
}

fn evicts_data(view: &View<'_>, policy: &str) -> Alert {
    let when = match view.frame.redis.max_memory_bytes {
        Some(_) => "when its memory is full",
        None => "as soon as it has a memory limit",
    };
    Alert {
        why: format!("{} lie there without a time to live, and cannot be loaded again.", at_stake(view)),
        what_to_do: "Set maxmemory-policy to noeviction, or to volatile-lfu, which evicts entries of caches and leaves those alone.".to_owned(),
        ..alert(
            "redis_policy",
            Severity::Critical,
            format!("Redis may evict acknowledged writes and structures {when}: its policy is {policy}."),
        )
    }
}

/// What would be lost, by name.
fn at_stake(view: &View<'_>) -> String {
    let mut names: Vec<String> = Vec::new();
    for node in view.nodes {
        let durable = node.write_behinds.iter();
        let durable =
            durable.filter(|writes| writes.kind == strata_report::WriteBehindKind::Durable);
        names.extend(durable.map(|writes| format!("unwritten writes of {}", writes.cache)));
        names.extend(node.structures.iter().map(|name| format!("the structures {name}")));
    }
    names.sort();
    names.dedup();
    let mut text = names.join(", ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn never_evicts(max_memory_bytes: Option<u64>, keeps_data: bool) -> Alert {
    let (severity, limit) = match max_memory_bytes {
        Some(_) => (Severity::Warning, "a memory limit"),
        None => (Severity::Notice, "no memory limit"),
    };
    let what_to_do = if keeps_data {
        EVICTS_CACHES_ONLY
    } else {
        "Set maxmemory, and maxmemory-policy to allkeys-lfu or allkeys-lru, if Redis holds only caches; note that the bus lies there too."
    };
    Alert {
        why: "When memory runs out, Redis refuses writes, or the machine kills it, instead of dropping what is read least.".to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert("redis_policy", severity, format!("Redis has the policy noeviction and {limit}."))
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::{Sound, durable};
    use super::*;

    #[test]
    fn noeviction_is_found() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(lint), []);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Warning);
        sound.frame.redis.max_memory_bytes = None;
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Notice);
    }

    #[test]
    fn where_writes_or_structures_lie_no_policy_is_recommended_that_evicts_them() {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"] {
            for has_writes in [true, false] {
                let mut sound = Sound::new();
                sound.frame.redis.policy = Some(policy.to_owned());
                match has_writes {
                    true => sound.nodes[0].write_behinds = vec![durable()],
                    false => sound.nodes[0].structures = vec!["carts".to_owned()],
                }
                let found = sound.found_by(lint).remove(0);
                assert!(!found.what_to_do.contains("allkeys"), "{found:?}");
                assert_eq!(found.severity == Severity::Critical, policy != "noeviction");
            }
        }
    }

    #[test]
    fn a_policy_that_evicts_acknowledged_writes_says_whose() {
        let mut sound = Sound::new();
        sound.nodes[0].write_behinds = vec![durable()];
        sound.nodes[0].structures = vec!["carts".to_owned()];
        let found = sound.found_by(lint).remove(0);
        assert!(found.what.contains("acknowledged writes") && found.what.contains("allkeys-lru"));
        let whose = "The structures carts, unwritten writes of users lie there";
        assert!(found.why.starts_with(whose), "{found:?}");
    }

    #[test]
    fn policies_that_leave_keys_without_a_time_to_live_alone_are_fine() {
        for policy in ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"] {
            let mut sound = Sound::new();
            sound.nodes[0].write_behinds = vec![durable()];
            sound.frame.redis.policy = Some(policy.to_owned());
            assert_eq!(sound.found_by(lint), [], "{policy}");
        }
    }
}
