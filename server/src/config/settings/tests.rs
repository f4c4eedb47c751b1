use std::fs;

use super::*;

const LEPTOS: &str = "[package.metadata.leptos]\noutput-name = \"strata\"\n";

fn resolve(flags: DemoFlags, strata: &str) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Leptos.toml");
    fs::write(&path, format!("{LEPTOS}[strata]\n{strata}\n")).unwrap();
    Settings::resolve(flags, &path)
}

#[test]
fn a_flag_comes_before_the_file_and_the_file_before_the_default() {
    let flags = DemoFlags { nodes: Some(3), ..DemoFlags::default() };
    let settings = resolve(flags, "nodes = 2\nusers = 500").unwrap();
    assert_eq!(settings.nodes, 3);
    assert_eq!(settings.n_users, 500);
    assert_eq!(settings.redis, RedisChoice::Private);
    assert_eq!(settings.traffic, TrafficMode::Steady);
}

#[test]
fn an_unknown_option_in_the_file_is_named() {
    let error = resolve(DemoFlags::default(), "node = 2").err().unwrap();
    assert!(error.to_string().contains("`node`"), "{error}");
}

#[test]
fn a_file_that_does_not_exist_is_an_empty_one() {
    let settings = Settings::resolve(DemoFlags::default(), "no/such/file".as_ref()).unwrap();
    assert_eq!(settings.n_users, Settings::DEFAULT_N_USERS);
}

#[test]
fn numbers_outside_their_range_are_refused() {
    for strata in ["nodes = 0", "nodes = 17", "users = 0", "rate = 0"] {
        let error = resolve(DemoFlags::default(), strata).err().unwrap();
        assert!(matches!(error, ConfigError::OutOfRange { .. }), "{strata}: {error}");
    }
}

#[test]
fn a_trace_silences_the_other_traffic_unless_it_is_asked_for() {
    let trace = |traffic| DemoFlags { trace: Some("t".into()), traffic, ..DemoFlags::default() };
    assert_eq!(resolve(trace(None), "").unwrap().traffic, TrafficMode::Off);
    let asked = trace(Some(TrafficMode::Steady));
    assert_eq!(resolve(asked, "").unwrap().traffic, TrafficMode::Steady);
}

#[test]
fn a_token_that_nobody_could_present_is_refused_by_the_name_of_its_option() {
    for option in ["operator-token", "viewer-token"] {
        for token in ["''", "' '", "'a;b'", "'pässwort'", "'two words'", "\"two\\nwo rds\""] {
            let error = resolve(DemoFlags::default(), &format!("{option} = {token}"));
            let error = error.err().unwrap().to_string();
            assert!(error.contains(&format!("--{option}")), "{token}: {error}");
            let secret = token.trim_matches(['\'', '"', ' ']);
            assert!(secret.is_empty() || !error.contains(secret), "{error}");
        }
    }
}

#[test]
fn tokens_come_from_options_and_files_and_lose_the_white_space_around_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    fs::write(&file, "anna:one\r\n\n ben:two \n").unwrap();
    let flags = DemoFlags {
        operator_token: Some("sesame\n".into()),
        operator_token_file: Some(file),
        viewer_token: Some("carla:three".into()),
        ..DemoFlags::default()
    };
    let settings = resolve(flags, "").unwrap();
    let names: Vec<_> = settings.operators.iter().map(Token::name).collect();
    assert_eq!(names, ["operator", "anna", "ben"]);
    assert!(settings.operators[0].is("sesame") && settings.operators[2].is("two"));
    assert_eq!(settings.viewers[0].name(), "carla");
}

#[test]
fn a_file_of_tokens_that_is_missing_or_empty_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    let read = || {
        let viewer_token_file = Some(file.clone());
        resolve(DemoFlags { viewer_token_file, ..DemoFlags::default() }, "")
    };
    let missing = read().err().unwrap().to_string();
    assert!(missing.contains("--viewer-token-file") && missing.contains("tokens"), "{missing}");
    fs::write(&file, "\n").unwrap();
    assert!(read().err().unwrap().to_string().contains("--viewer-token-file"));
}

#[test]
fn a_viewer_cannot_have_an_operators_token() {
    let shared = "operator-token = 'anna:one'\nviewer-token = 'ben:one'";
    let error = resolve(DemoFlags::default(), shared).err().unwrap();
    assert!(matches!(error, ConfigError::SharedToken));
}

#[test]
fn a_user_is_named_by_a_header_only_behind_a_trusted_proxy() {
    let header = "user-header = 'X-Forwarded-User'";
    let error = resolve(DemoFlags::default(), header).err().unwrap();
    assert!(matches!(error, ConfigError::UserHeaderWithoutProxy));
    let trusted = format!("{header}\ntrusted-proxy = ['127.0.0.1', '10.0.0.0/8']");
    assert_eq!(resolve(DemoFlags::default(), &trusted).unwrap().trusted_proxies.len(), 2);
    let error = resolve(DemoFlags::default(), "user-header = 'a b'").err().unwrap();
    assert!(error.to_string().contains("--user-header"), "{error}");
}

#[test]
fn what_is_wrong_in_the_file_is_told_without_the_line_that_may_hold_a_secret() {
    for line in [
        "operator-token = sesame",
        "operator-token = 's3same' x",
        "operator-token = 5353",
        "operator-tokn = 'sesame'",
        "redis-url = 'http://:s3same@redis'",
        "redis-url = [5353]",
    ] {
        let error = resolve(DemoFlags::default(), &format!("nodes = 2\n{line}"));
        let error = error.err().unwrap();
        for printed in [error.to_string(), format!("{error:?}")] {
            let leaks = ["sesame", "s3same", "5353"].iter().any(|part| printed.contains(part));
            assert!(!leaks, "{line}: {printed}");
        }
    }
    let error = resolve(DemoFlags::default(), "nodes = 2\noperator-token = 5").err().unwrap();
    assert!(error.to_string().contains("line 5"), "{error}");
}

#[test]
fn an_address_of_redis_can_be_read_from_a_file_and_is_never_printed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis");
    fs::write(&file, "redis://:s3same@127.0.0.1\n").unwrap();
    let redis_url_file = Some(file);
    let flags = DemoFlags { redis_url_file, ..DemoFlags::default() };
    let redis = resolve(flags.clone(), "").unwrap().redis;
    assert_eq!(redis, RedisChoice::Url("redis://:s3same@127.0.0.1".into()));
    assert!(!format!("{redis:?}").contains("s3same"));
    let error = resolve(flags, "redis-url = 'off'").err().unwrap();
    assert!(matches!(error, ConfigError::TwoRedis));
}

#[test]
fn protected_keys_are_read_and_what_names_none_is_refused() {
    let protected = resolve(DemoFlags::default(), "protect = ['users:1*']").unwrap().protected;
    assert_eq!(protected, ["users:1*".parse().unwrap()]);
    let error = resolve(DemoFlags::default(), "protect = ['users']").err().unwrap();
    assert!(error.to_string().contains("users"), "{error}");
}

#[test]
fn redis_is_an_address_or_off() {
    assert_eq!("off".parse(), Ok(RedisChoice::Off));
    let url = "redis+unix:///run/redis.sock";
    assert_eq!(url.parse(), Ok(RedisChoice::Url(url.into())));
    assert!("localhost:6379".parse::<RedisChoice>().is_err());
}

#[test]
fn a_further_host_is_named_in_the_file_as_the_option_is() {
    for name in ["allowed-host", "allowed-hosts"] {
        let settings = resolve(DemoFlags::default(), &format!("{name} = ['a.example']")).unwrap();
        assert_eq!(settings.allowed_hosts, ["a.example"], "{name}");
    }
}

#[test]
fn of_a_file_that_names_several_redis_the_demo_takes_one_only_where_it_is_told() {
    let file = "redis-url = ['eu=redis://:hunter2@h', 'us=redis://g']";
    let said = resolve(DemoFlags::default(), file).err().unwrap().to_string();
    assert!(said.contains("(eu, us)") && said.contains("choose one"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let one = DemoFlags { redis_url: Some("redis://g".into()), ..DemoFlags::default() };
    for file in [file, "redis-url-file = '/nosuch'"] {
        let chosen = resolve(one.clone(), file).unwrap();
        assert_eq!(chosen.redis, RedisChoice::Url("redis://g".to_owned()));
    }
    let only = resolve(DemoFlags::default(), "redis-url = 'eu=redis://h'").unwrap();
    assert_eq!(only.redis, RedisChoice::Url("redis://h".to_owned()));
}
