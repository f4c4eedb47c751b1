//! Before a service runs, its Redis can be tried.

use strata_cache::doctor::{Diagnosis, Finding, Verdict, examine};

use crate::support::Redis;
use crate::support::ways::set_user;

async fn of_user(redis: &Redis, rules: &[&str], namespace: Option<&str>) -> Diagnosis {
    set_user(redis, rules).await;
    examine(&format!("{}?user=app&pass=secret", redis.url()), namespace).await.unwrap()
}

fn finding<'a>(diagnosis: &'a Diagnosis, subject: &str) -> &'a Finding {
    let found = diagnosis.findings.iter().find(|finding| finding.subject == subject);
    assert!(found.is_some(), "nothing about {subject}: {diagnosis:#?}");
    found.unwrap()
}

async fn keys(redis: &Redis) -> Vec<String> {
    redis.ask(&["KEYS", "*"]).await
}

#[tokio::test]
async fn a_sound_redis_has_all_that_nodes_need_and_is_left_empty() {
    let redis = Redis::start().await;
    let diagnosis = examine(&redis.url(), None).await.unwrap();
    for finding in &diagnosis.findings {
        // A loaded machine may take long.
        assert!(finding.subject == "Latency" || finding.verdict == Verdict::Works, "{finding:?}");
    }
    assert_eq!(diagnosis.server.as_ref().unwrap().server, "redis");
    let nodes = finding(&diagnosis, "Two nodes");
    assert!(nodes.seen.starts_with("what one invalidated was gone on the other"), "{nodes:?}");
    assert_eq!(keys(&redis).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_an_acl_refuses_is_told_with_the_line_that_allows_it() {
    let redis = Redis::start().await;
    let diagnosis = of_user(&redis, &["-xreadgroup", "-slowlog"], None).await;
    assert_eq!(diagnosis.verdict(), Verdict::Degrades, "{diagnosis:#?}");
    let writes = finding(&diagnosis, "Durable write-behind");
    assert_eq!(writes.verdict, Verdict::Degrades);
    assert!(writes.seen.starts_with("XREADGROUP in a script: NOPERM"), "{writes:?}");
    assert_eq!(writes.advice.as_deref(), Some("ACL SETUSER app +xreadgroup"));
    let figures = finding(&diagnosis, "Figures of Redis");
    assert_eq!(figures.advice.as_deref(), Some("ACL SETUSER app +slowlog|get"), "{figures:?}");

    let diagnosis = of_user(&redis, &["-@scripting"], None).await;
    let entries = finding(&diagnosis, "Entries in L2");
    assert_eq!(entries.verdict, Verdict::Fails);
    assert_eq!(entries.advice.as_deref(), Some("ACL SETUSER app +@scripting"));
    assert_eq!(keys(&redis).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_rules_that_the_readme_gives_are_enough() {
    let redis = Redis::start().await;
    let readme = include_str!("../../README.md");
    let line = readme.lines().find(|line| line.starts_with("ACL SETUSER app on >password"));
    let rules: Vec<_> = line.unwrap().split_whitespace().skip(5).collect();
    let rules: Vec<_> = ["reset", "on", ">secret"].into_iter().chain(rules).collect();
    let diagnosis = of_user(&redis, &rules, Some("shop")).await;
    for finding in &diagnosis.findings {
        let may_lack = ["Figures of Redis", "Eviction", "Latency"].contains(&finding.subject);
        assert!(may_lack || finding.verdict == Verdict::Works, "{finding:?}");
    }
    assert_eq!(keys(&redis).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_user_of_another_namespace_is_told_which_keys_to_allow() {
    let redis = Redis::start().await;
    let diagnosis = of_user(&redis, &["resetkeys", "~{shop}*"], Some("blog")).await;
    assert_eq!(diagnosis.verdict(), Verdict::Fails);
    let advice = finding(&diagnosis, "Entries in L2").advice.as_deref().unwrap();
    assert_eq!(advice, "ACL SETUSER app ~{blog}*");
}

#[tokio::test]
async fn a_redis_that_may_evict_what_was_acknowledged_is_told() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    let diagnosis = examine(&redis.url(), None).await.unwrap();
    let eviction = finding(&diagnosis, "Eviction");
    assert_eq!(eviction.verdict, Verdict::Degrades);
    assert!(eviction.seen.contains("allkeys-lru"), "{eviction:?}");
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_fails_by_its_own_words() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    let diagnosis = examine(&redis.url(), None).await.unwrap();
    assert_eq!(diagnosis.verdict(), Verdict::Fails);
    let entries = finding(&diagnosis, "Entries in L2");
    assert!(entries.seen.contains("NOREPLICAS"), "{entries:?}");
    assert_eq!(entries.advice, None);
}

#[tokio::test]
async fn where_nothing_answers_that_is_the_only_finding() {
    let diagnosis = examine("redis://127.0.0.1:1", None).await.unwrap();
    assert_eq!(diagnosis.verdict(), Verdict::Fails);
    assert_eq!(diagnosis.findings.len(), 1);
    assert_eq!(diagnosis.findings[0].subject, "Connection");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_never_repeated() {
    let redis = Redis::start().await;
    set_user(&redis, &[]).await;
    let url = format!("{}?user=app&pass=hunter2", redis.url());
    let diagnosis = examine(&url, None).await.unwrap();
    assert_eq!(diagnosis.findings[0].verdict, Verdict::Fails);
    assert!(!format!("{diagnosis:?}").contains("hunter2"), "{diagnosis:?}");
}

#[tokio::test]
async fn what_is_no_address_or_namespace_is_refused() {
    assert!(examine("no address", None).await.is_err());
    assert!(examine("redis://127.0.0.1", Some("No Namespace")).await.is_err());
}
