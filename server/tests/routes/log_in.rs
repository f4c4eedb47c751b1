use axum::body::Body;
use axum::http::{Method, StatusCode, Version, header};
use futures::StreamExt;
use strata_server::Settings;

use crate::support::{Answer, PATIENCE, Running, from, log_in, request, start, tokens};

fn with_tokens(settings: &mut Settings) {
    settings.operators = tokens("anna:sesame\nben:other");
}

/// Sends a form as a browser without scripts does.
async fn send(running: &Running, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
    let asked = request(Method::POST, path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html");
    let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
    running.ask(asked.body(Body::from(form.to_owned())).unwrap()).await
}

async fn who(running: &Running, cookie: &str) -> String {
    let asked = request(Method::GET, "/api/v1/session").header(header::COOKIE, cookie);
    let session = running.ask(asked.body(Body::empty()).unwrap()).await.json();
    format!("{} {}", session["actor"].as_str().unwrap(), session["role"].as_str().unwrap())
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn somebody_logs_in_by_a_page_without_scripts_and_goes_on_to_where_they_were_led_from() {
    let running = start(with_tokens).await;
    let page = running.get("/login?to=%2Fkeys%3Fcache%3Dusers").await;
    assert!(page.text().contains("value=\"/keys?cache=users\""), "{}", page.text());
    assert!(!page.text().contains("<script"), "{}", page.text());
    assert!(page.text().contains("<title>Log in · Strata</title>"), "{}", page.text());
    let sent = send(&running, "/login", "token=sesame&to=%2Fkeys%3Fcache%3Dusers", &[]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(sent.header("location"), "/keys?cache=users");
    let set = sent.header("set-cookie");
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{set}");
    assert!(set.starts_with("strata_session_3000=") && !set.contains("sesame"), "{set}");
    assert_eq!(who(&running, &cookie(&sent)).await, "anna operator");
    let elsewhere = send(&running, "/login", "token=sesame&to=%2F%2Fevil.test", &[]).await;
    assert_eq!(elsewhere.header("location"), "/");
}

#[tokio::test]
async fn a_wrong_token_is_told_on_the_page_and_stands_in_the_audit() {
    let running = start(with_tokens).await;
    let refused = send(&running, "/login", "token=guess", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("not a token of this Strata"), "{}", refused.text());
    assert_eq!(refused.header("set-cookie"), "");
    log_in(&running, "other").await;
    let trail = running.get("/api/v1/audit").await.json();
    let [done, tried] = [&trail["entries"][0], &trail["entries"][1]];
    assert_eq!((&done["action"], &done["actor"]), (&"log_in".into(), &"ben".into()), "{trail}");
    assert_eq!((&tried["action"], &tried["refused"]), (&"log_in".into(), &true.into()), "{trail}");
    assert_eq!(tried["address"], "127.0.0.1");
    assert!(!trail.to_string().contains("guess"), "{trail}");
}

#[tokio::test]
async fn log_ins_are_throttled_for_each_address_and_the_trail_is_not_washed_out() {
    let running = start(with_tokens).await;
    log_in(&running, "sesame").await;
    let from_peer = async |peer: &str, token: &str| {
        let mut asked = request(Method::POST, "/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("token={token}")))
            .unwrap();
        asked.extensions_mut().insert(from(peer));
        running.ask(asked).await
    };
    from_peer("192.0.2.9:1", "guess").await;
    for _ in 0..10 {
        from_peer("192.0.2.1:1", "guess").await;
    }
    let throttled = from_peer("192.0.2.1:2", "sesame").await;
    assert_eq!(throttled.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(throttled.header("retry-after").parse::<u64>().unwrap() <= 7);
    let mut n_throttled = 0;
    for _ in 0..300 {
        // Every few seconds one is let through, and refused as a guess.
        let status = from_peer("192.0.2.1:2", "guess").await.status;
        n_throttled += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(n_throttled > 250, "{n_throttled}");
    assert_eq!(from_peer("192.0.2.2:1", "sesame").await.status, StatusCode::SEE_OTHER);
    let trail = running.get("/api/v1/audit?limit=1000").await.json();
    let entries = trail["entries"].as_array().unwrap();
    let refused = |address: &str| {
        entries.iter().filter(|one| one["refused"] == true && one["address"] == address).count()
    };
    assert_eq!(refused("192.0.2.9"), 1, "a flood pushes out its own");
    assert_eq!(refused("192.0.2.1"), 20, "what follows is one line, when the minute is over");
    let done = entries.iter().filter(|entry| entry["refused"] == false).count();
    assert_eq!(done, 2);
}

#[tokio::test]
async fn who_sends_wrong_tokens_without_end_has_to_wait() {
    let running = start(with_tokens).await;
    let by = |token: &str| {
        let asked = request(Method::GET, "/api/v1/session");
        asked.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
    };
    let mut statuses = Vec::new();
    for _ in 0..100 {
        statuses.push(running.ask(by("guess")).await.status);
    }
    assert_eq!(statuses[0], StatusCode::OK);
    assert_eq!(statuses[99], StatusCode::TOO_MANY_REQUESTS);
    running.ask(by("sesame")).await.is_problem(429, "too-many-tokens");
    assert_eq!(running.get("/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn logging_out_ends_the_session_for_whoever_has_kept_its_cookie() {
    let running = start(with_tokens).await;
    let [first, second, bens] = [
        log_in(&running, "sesame").await,
        log_in(&running, "sesame").await,
        log_in(&running, "other").await,
    ];
    let out = send(&running, "/logout", "", &[("cookie", &first)]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert!(out.header("set-cookie").ends_with("Max-Age=0"), "{out:?}");
    assert_eq!(who(&running, &first).await, "viewer viewer");
    assert_eq!(who(&running, &second).await, "anna operator");
    let third = log_in(&running, "sesame").await;
    send(&running, "/logout", "everywhere=true", &[("cookie", &third)]).await;
    for ended in [&second, &third] {
        assert_eq!(who(&running, ended).await, "viewer viewer");
    }
    assert_eq!(who(&running, &bens).await, "ben operator");
}

#[tokio::test]
async fn the_cookie_is_named_after_the_port_that_the_browser_asked() {
    let running = start(with_tokens).await;
    for (host, name) in [
        ("localhost:8080", "strata_session_8080"),
        ("[::1]:3000", "strata_session_3000"),
        ("localhost", "strata_session_80"),
    ] {
        let asked = axum::http::Request::post("/api/strata/log_in")
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = running.ask(asked.body(Body::from("token=sesame")).unwrap()).await;
        let set = answer.header("set-cookie");
        assert!(set.starts_with(&format!("{name}=")), "{set}");
    }
}

#[tokio::test]
async fn the_cookie_is_secure_where_browsers_come_by_tls() {
    let proxied = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
    let trusting = start(|settings| {
        with_tokens(settings);
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let public = start(|settings| {
        with_tokens(settings);
        settings.public_url = Some("https://dash.test".parse().unwrap());
    })
    .await;
    let plain = start(with_tokens).await;
    for (running, headers, secure) in [
        (&trusting, &proxied[..], true),
        (&trusting, &proxied[..1], false),
        (&public, &[], true),
        (&plain, &proxied[..], false),
    ] {
        let set = send(running, "/login", "token=sesame", headers).await;
        let set = set.header("set-cookie").to_owned();
        assert_eq!(set.contains("; Secure"), secure, "{headers:?} {set}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_audit_names_the_person_and_their_address() {
    let running = start(|settings| {
        with_tokens(settings);
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.user_header = Some(header::HeaderName::from_static("x-forwarded-user"));
    })
    .await;
    for user in ["carla", "dora"] {
        let asked = request(Method::DELETE, "/api/v1/caches/users/keys/1")
            .header("authorization", "Bearer sesame")
            .header("x-forwarded-for", "203.0.113.9")
            .header("x-forwarded-user", user);
        let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let trail = running.get("/api/v1/audit").await.json();
    let who = |at: usize| trail["entries"][at]["actor"].as_str().unwrap().to_owned();
    assert_eq!((who(0).as_str(), who(1).as_str()), ("dora", "carla"));
    assert_eq!(trail["entries"][0]["address"], "203.0.113.9");
}

#[tokio::test]
async fn health_answers_whoever_asks_also_without_a_host() {
    let running = start(|settings| {
        with_tokens(settings);
        settings.viewers = tokens("carla:peep");
    })
    .await;
    for path in ["/healthz", "/readyz"] {
        let mut bare = axum::http::Request::get(path).body(Body::empty()).unwrap();
        *bare.version_mut() = Version::HTTP_10;
        assert_eq!(running.ask(bare).await.status, StatusCode::OK, "{path}");
        let other = axum::http::Request::get(path).header(header::HOST, "balancer.test");
        let answer = running.ask(other.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_refused_host_is_named_with_the_option_and_a_browser_gets_a_page() {
    let running = start(|_| {}).await;
    let to = |accept: &str| {
        let asked = axum::http::Request::get("/").header(header::HOST, "strata:3100");
        asked.header(header::ACCEPT, accept).body(Body::empty()).unwrap()
    };
    let problem = running.ask(to("*/*")).await;
    problem.is_problem(421, "wrong-host");
    let page = running.ask(to("text/html,*/*")).await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert!(page.header("content-security-policy").contains("default-src 'none'"), "{page:?}");
    for told in [problem.text(), page.text()] {
        assert!(told.contains("strata:3100") && told.contains("--allowed-host strata"), "{told}");
    }
    let odd = axum::http::Request::get("/")
        .header(header::HOST, "<b>x</b>.test")
        .header(header::ACCEPT, "text/html");
    let page = running.ask(odd.body(Body::empty()).unwrap()).await;
    assert!(!page.text().contains("<b>"), "{}", page.text());
}

#[tokio::test]
async fn a_request_that_names_several_hosts_is_refused_unless_each_is_ours() {
    let running = start(|_| {}).await;
    let ask = async |target: &str, hosts: &[&str]| {
        let asked = axum::http::Request::get(target);
        let asked = hosts.iter().fold(asked, |asked, host| asked.header(header::HOST, *host));
        running.ask(asked.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let (ours, others) = ("localhost:3000", "evil.test");
    for (target, hosts, status) in [
        ("/api/v1/session", &[ours, ours][..], 400),
        ("/api/v1/session", &[ours, others], 400),
        ("http://localhost:3000/api/v1/session", &[], 200),
        ("http://localhost:3000/api/v1/session", &[ours], 200),
        ("http://localhost:3000/api/v1/session", &[others], 421),
        ("http://evil.test/api/v1/session", &[ours], 421),
        ("http://evil.test/healthz", &[ours, others], 200),
    ] {
        assert_eq!(ask(target, hosts).await, status, "{target} {hosts:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_pass_the_host_on_is_told_so_at_every_kind_of_door() {
    let running = start(with_tokens).await;
    let ask = async |path: &str, accept: &str| {
        let asked = request(Method::POST, path)
            .header(header::ORIGIN, "http://dash.lan:8088")
            .header(header::ACCEPT, accept);
        running.ask(asked.body(Body::empty()).unwrap()).await
    };
    let script = ask("/api/v1/caches/users/keys/1/soften", "*/*").await;
    script.is_problem(403, "cross-site");
    let of_page = ask("/api/strata/invalidate_key", "*/*").await;
    let told = of_page.json()["Refused"].as_str().unwrap().to_owned();
    let plain = ask("/api/strata/invalidate_key", "text/html").await;
    assert!(plain.header("content-type").starts_with("text/html"), "{plain:?}");
    for told in [script.text(), &told, plain.text()] {
        assert!(told.contains("must pass the Host header on"), "{told}");
        assert!(told.contains("--public-url http://dash.lan:8088"), "{told}");
    }
    let trail = running.get("/api/v1/audit").await.json();
    assert_eq!(trail["entries"][0]["action"], "cross_site", "{trail}");
}

#[tokio::test]
async fn a_page_at_the_public_url_may_change_something_whatever_host_the_proxy_names() {
    let running =
        start(|settings| settings.public_url = Some("http://dash.lan:8088".parse().unwrap())).await;
    let by = |origin: &str| {
        let asked = request(Method::DELETE, "/api/v1/caches/users/keys/1");
        asked.header(header::ORIGIN, origin).body(Body::empty()).unwrap()
    };
    let ours = running.ask(by("http://dash.lan:8088")).await;
    ours.is_problem(403, "refused");
    running.ask(by("http://dash.lan:8089")).await.is_problem(403, "cross-site");
    let host = axum::http::Request::get("/healthz").header(header::HOST, "dash.lan:8088");
    let answer = running.ask(host.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn the_live_stream_of_a_session_ends_with_it() {
    let running = start(with_tokens).await;
    let cookie = log_in(&running, "sesame").await;
    let asked = request(Method::GET, "/events").header(header::COOKIE, &cookie);
    let answer = running.respond(asked.body(Body::empty()).unwrap()).await;
    let mut stream = answer.into_body().into_data_stream();
    let begins = stream.next().await.unwrap().unwrap();
    assert!(begins.starts_with(b"event: snapshot"), "{begins:?}");
    send(&running, "/logout", "", &[("cookie", &cookie)]).await;
    tokio::time::timeout(PATIENCE, stream.count()).await.expect("it ends");
    let anonymous = request(Method::GET, "/events").body(Body::empty()).unwrap();
    let mut others = running.respond(anonymous).await.into_body().into_data_stream();
    for _ in 0..2 {
        assert!(others.next().await.is_some(), "it goes on without one");
    }
}
