use std::io::Write;
use std::process::{Command, Stdio};

use tokio::time::{sleep, timeout};

use crate::support::{PATIENCE, Running, skipped, start};

async fn scrape(running: &Running) -> String {
    running.get("/metrics").await.text().to_owned()
}

/// The sum of a family's series that carry all of `labels`.
fn sum(text: &str, family: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter(|line| line.starts_with(&format!("{family}{{")))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

#[tokio::test]
async fn every_family_is_there_from_the_start_with_zeros() {
    let running = start(|settings| settings.nodes = 2).await;
    let answer = running.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let series = [
        r#"cache_requests_total{cache="users",node="2",outcome="coalesced"} 0"#,
        r#"cache_gets_total{cache="posts",node="1",level="l2",result="miss"} 0"#,
        r#"cache_puts_total{cache="posts",node="1",level="l1"} 0"#,
        r#"cache_evictions_total{cache="users",node="1",level="l1",cause="refused"} 0"#,
        r#"cache_size{cache="objects",node="1",level="l1"} 0"#,
        r#"cache_weight_bytes{cache="posts",node="1",level="l1"} 0"#,
        r#"cache_get_duration_seconds_bucket{cache="users",node="1",level="l1",le="0.000001"} 0"#,
        r#"cache_get_duration_seconds_bucket{cache="users",node="1",level="l1",le="+Inf"} 0"#,
        r#"cache_loads_seconds_count{cache="users",node="1",result="failure"} 0"#,
        r#"cache_invalidations_total{cache="timelines",node="1",scope="pattern",origin="bus"} 0"#,
        r#"cache_bus_connected{node="1"} 0"#,
        r#"cache_bus_lag_seconds_count{node="1"} 0"#,
        r#"cache_bus_messages_total{node="1",direction="sent"} 0"#,
        r#"cache_bus_gaps_total{node="1"} 0"#,
        r#"cache_l2_breaker_open{node="2"} 0"#,
        r#"cache_bus_silent_seconds{node="1"} 0"#,
        r#"cache_l2_errors_total{node="1",code="TIMEOUT"} 0"#,
        r#"cache_panics_total{cache="users",node="1"} 0"#,
        r#"cache_gaps_total{cache="users",node="1"} 0"#,
        r#"strata_task_failures_total{node="2",task="upkeep"} 0"#,
        r#"strata_task_running{node="2",task="upkeep"} 1"#,
        r#"strata_task_failures_total{task="sampler"} 0"#,
        r#"strata_task_running{task="sampler"} 1"#,
    ];
    for line in series {
        assert!(text.lines().any(|found| found == line), "no line {line}\n{text}");
    }
    assert!(text.contains(r#"cache_weight_max_bytes{cache="posts",node="1",level="l1"} "#));
}

#[tokio::test]
async fn the_outcomes_of_a_scrape_add_up_to_the_reads() {
    let running = start(|_| {}).await;
    for _ in 0..3 {
        for id in 1..=20 {
            running.get(&format!("/demo/users/{id}")).await;
        }
    }
    // The console looks once a second.
    let counted = async {
        while sum(&scrape(&running).await, "cache_requests_total", &[r#"cache="users""#]) < 60.0 {
            sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
    let text = scrape(&running).await;
    assert_eq!(sum(&text, "cache_requests_total", &[r#"cache="users""#]), 60.0);
    assert_eq!(sum(&text, "cache_requests_total", &[r#"cache="users""#, "l1_hit"]), 40.0);
    let l1 = [r#"cache="users""#, r#"level="l1""#];
    assert_eq!(sum(&text, "cache_gets_total", &l1), 60.0);
}

#[tokio::test]
async fn the_process_and_its_version_are_told() {
    let running = start(|_| {}).await;
    let text = scrape(&running).await;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse::<f64>().unwrap()
    };
    assert!(text.contains(concat!(
        "strata_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1"
    )));
    assert!(value("process_start_time_seconds") > 1.7e9);
    assert!(value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") < value("process_max_fds"));
    assert!(value("strata_connections_max") > 0.0);
    for zero in ["strata_connections", "strata_event_streams", "strata_jobs_running"] {
        assert_eq!(value(zero), 0.0, "{zero}");
    }
    assert_eq!(value("strata_audit_unwritten_entries"), 0.0);
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_never_by_their_path() {
    let running = start(|_| {}).await;
    for path in ["/demo/users/1", "/demo/users/2", "/demo/users/x", "/no/such/path"] {
        running.get(path).await;
    }
    let text = scrape(&running).await;
    let users = [r#"method="GET""#, r#"route="/demo/users/{id}""#];
    let total = |labels: &[&str]| sum(&text, "http_requests_total", labels);
    assert_eq!(total(&users), 3.0, "{text}");
    assert_eq!(total(&[users[1], r#"status="200""#]), 2.0);
    assert_eq!(sum(&text, "http_request_duration_seconds_count", &users), 3.0);
    assert_eq!(total(&[r#"status="404""#, "other"]), 1.0, "{text}");
    assert!(text.lines().any(|line| line == "http_requests_in_flight 1"), "this one: {text}");
}

#[tokio::test]
async fn promtool_has_nothing_to_complain_about() {
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        skipped("promtool is not installed");
        return;
    };
    let running = start(|settings| settings.nodes = 2).await;
    running.get("/demo/users/1").await;
    let text = scrape(&running).await;
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let complaints = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&complaints));
    assert!(complaints.is_empty(), "{}", String::from_utf8_lossy(&complaints));
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_only_for_what_is_exported() {
    let running = start(|_| {}).await;
    let exported = scrape(&running).await;
    let monitoring = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/monitoring");
    for file in ["grafana.json", "rules.yml"] {
        let text = std::fs::read_to_string(format!("{monitoring}/{file}")).unwrap();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let names = text.split(|c| !is_name(c)).filter(|word| word.starts_with("cache_"));
        let names: std::collections::BTreeSet<&str> = names.collect();
        assert!(names.len() >= 5, "{file}: {names:?}");
        for name in names {
            let family = name.trim_end_matches("_bucket").trim_end_matches("_count");
            assert!(exported.contains(&format!("# TYPE {family} ")), "{file}: {name}");
        }
    }
}
