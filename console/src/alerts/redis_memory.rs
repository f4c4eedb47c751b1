//! Redis's memory and what it does when that is full.

use strata_report::{Alert, Severity, may_evict_data};

use super::view::{View, alert, percent};

/// Redis's memory is nearly used up.
pub(super) fn redis_full(view: &View<'_>) -> Vec<Alert> {
    let redis = &view.frame.redis;
    let (Some(used), Some(max)) = (redis.used_memory_bytes, redis.max_memory_bytes) else {
        return Vec::new();
    };
    let used_percent = percent(used, max);
    if used_percent < 90 {
        return Vec::new();
    }
    let refuses = redis.policy.as_deref() == Some("noeviction");
    let (severity, why) = if refuses {
        (
            Severity::Critical,
            "With the policy noeviction it takes no new entries when it is full; reads and invalidations go on.",
        )
    } else {
        (Severity::Warning, "It evicts entries to make room, which then must be loaded again.")
    };
    vec![Alert {
        why: why.to_owned(),
        what_to_do: "Give Redis more memory, or shorten the times to live in L2.".to_owned(),
        ..alert("redis_full", severity, format!("Redis uses {used_percent} % of its memory limit."))
    }]
}

const EVICTS_CACHES_ONLY: &str = "Set maxmemory, and maxmemory-policy to volatile-lfu or volatile-lru: entries of caches have a time to live and make room, while unwritten writes and structures have none and stay.";

/// Redis evicts what nobody could load again, or refuses writes when it is full.
pub(super) fn redis_policy(view: &View<'_>) -> Vec<Alert> {
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
        why: format!("{} are kept in Redis without a time to live, and cannot be loaded again.", at_stake(view)),
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
        "Set maxmemory, and maxmemory-policy to allkeys-lfu or allkeys-lru, if Redis holds only caches; note that the messages of the bus are in Redis too."
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
    fn a_full_redis_that_never_evicts_still_takes_invalidations() {
        let mut sound = Sound::new();
        sound.frame.redis.used_memory_bytes = Some(95_000_000);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert!(sound.found_by(redis_full)[0].why.contains("invalidations go on"));
    }

    #[test]
    fn little_memory_left_is_a_warning_and_critical_where_writes_are_refused() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(redis_full), []);
        sound.frame.redis.used_memory_bytes = Some(95_000_000);
        assert_eq!(sound.found_by(redis_full)[0].severity, Severity::Warning);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert_eq!(sound.found_by(redis_full)[0].severity, Severity::Critical);
        sound.frame.redis.max_memory_bytes = None;
        assert_eq!(sound.found_by(redis_full), [], "the limit is unknown");
    }

    #[test]
    fn noeviction_is_found() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(redis_policy), []);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert_eq!(sound.found_by(redis_policy)[0].severity, Severity::Warning);
        sound.frame.redis.max_memory_bytes = None;
        assert_eq!(sound.found_by(redis_policy)[0].severity, Severity::Notice);
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
                let found = sound.found_by(redis_policy).remove(0);
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
        let found = sound.found_by(redis_policy).remove(0);
        assert!(found.what.contains("acknowledged writes") && found.what.contains("allkeys-lru"));
        let at_stake = "The structures carts, unwritten writes of users are kept in Redis";
        assert!(found.why.starts_with(at_stake), "{found:?}");
    }

    #[test]
    fn policies_that_leave_keys_without_a_time_to_live_alone_are_fine() {
        for policy in ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random"] {
            let mut sound = Sound::new();
            sound.nodes[0].write_behinds = vec![durable()];
            sound.frame.redis.policy = Some(policy.to_owned());
            assert_eq!(sound.found_by(redis_policy), [], "{policy}");
        }
    }
}
