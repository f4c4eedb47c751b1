use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// Redis refuses writes when it is full, instead of evicting.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let redis = &view.frame.redis;
    if redis.policy.as_deref() != Some("noeviction") {
        return Vec::new();
    }
    let (severity, limit) = match redis.max_memory_bytes {
        Some(_) => (Severity::Warning, "a memory limit"),
        None => (Severity::Notice, "no memory limit"),
    };
    vec![Alert {
        why: "When memory runs out, Redis refuses writes, or the machine kills it, instead of dropping what is read least.".to_owned(),
        what_to_do: "Set maxmemory, and maxmemory-policy to allkeys-lfu or allkeys-lru, if Redis holds only caches; note that the bus lies there too.".to_owned(),
        ..alert("redis_policy", severity, format!("Redis has the policy noeviction and {limit}."))
    }]
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
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
}
