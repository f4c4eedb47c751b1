use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Redis's memory is nearly used up.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_full_redis_that_never_evicts_still_takes_invalidations() {
        let mut sound = Sound::new();
        sound.frame.redis.used_memory_bytes = Some(95_000_000);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert!(sound.found_by(lint)[0].why.contains("invalidations go on"));
    }

    #[test]
    fn little_memory_left_is_a_warning_and_critical_where_writes_are_refused() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(lint), []);
        sound.frame.redis.used_memory_bytes = Some(95_000_000);
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Warning);
        sound.frame.redis.policy = Some("noeviction".to_owned());
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Critical);
        sound.frame.redis.max_memory_bytes = None;
        assert_eq!(sound.found_by(lint), [], "the limit is unknown");
    }
}
