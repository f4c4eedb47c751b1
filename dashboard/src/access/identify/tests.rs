use axum::body::Body;
use axum::http::HeaderValue;

use super::*;

const LOOPBACK: &str = "127.0.0.1:50000";

fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = axum::http::Request::get("/").header(header::HOST, "127.0.0.1:3000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    request
}

fn trusting(networks: &[&str]) -> Proxies {
    let trusted = networks.iter().map(|network| network.parse().unwrap()).collect();
    Proxies { trusted, user_header: Some(HeaderName::from_static("x-user")) }
}

fn is_local(request: &Request) -> bool {
    Proxies::default().origin(request).0.is_local
}

fn address(proxies: &Proxies, request: &Request) -> String {
    proxies.origin(request).0.address.unwrap().to_string()
}

#[test]
fn local_is_what_comes_from_this_machine_names_it_and_was_not_forwarded() {
    for peer in [LOOPBACK, "[::1]:1", "[::ffff:127.0.0.1]:1", "127.9.9.9:1"] {
        assert!(is_local(&request(peer, &[])), "{peer}");
    }
    for peer in ["192.0.2.1:1", "10.0.0.1:1", "[2001:db8::1]:1"] {
        assert!(!is_local(&request(peer, &[])), "{peer}");
    }
    let unknown = axum::http::Request::get("/").header(header::HOST, "localhost");
    assert!(!is_local(&unknown.body(Body::empty()).unwrap()));
}

#[test]
fn nothing_that_a_proxy_may_have_sent_is_local() {
    let forwarded: [&[(&str, &str)]; 40] = [
        &[("x-forwarded-for", "127.0.0.1")],
        &[("x-forwarded-for", "")],
        &[("forwarded", "for=203.0.113.9")],
        &[("x-forwarded-host", "dash.test")],
        &[("x-forwarded-proto", "https")],
        &[("x-forwarded-user", "anna")],
        &[("x-real-ip", "203.0.113.9")],
        &[("via", "1.1 squid")],
        &[("x-original-forwarded-for", "203.0.113.9")],
        &[("x-original-url", "/")],
        &[("x-envoy-external-address", "203.0.113.9")],
        &[("x-azure-clientip", "203.0.113.9")],
        &[("x-amzn-trace-id", "Root=1-2-3")],
        &[("cf-ray", "1")],
        &[("cdn-loop", "fastly")],
        &[("x-nf-client-connection-ip", "203.0.113.9")],
        &[("x-arr-ssl", "2048|256")],
        &[("x-arr-log-id", "1")],
        &[("x-ms-client-principal-name", "anna")],
        &[("x-ms-forwarded-client-ip", "203.0.113.9")],
        &[("x-cloud-trace-context", "1/2;o=1")],
        &[("x-vercel-id", "fra1::1")],
        &[("x-vercel-proxied-for", "203.0.113.9")],
        &[("x-akamai-edgescape", "city=Bonn")],
        &[("akamai-origin-hop", "2")],
        &[("incap-client-ip", "203.0.113.9")],
        &[("x-sucuri-clientip", "203.0.113.9")],
        &[("x-webauth-user", "anna")],
        &[("x-authenticated-user", "anna")],
        &[("x-ssl-client-dn", "CN=anna")],
        &[("ssl-client-cert", "1")],
        &[("ssl-client-verify", "SUCCESS")],
        &[("front-end-https", "on")],
        &[("x-url-scheme", "https")],
        &[("X-AKAMAI-CONFIG-LOG-DETAIL", "true")],
        &[("x-vercel-forwarded-for", "203.0.113.9")],
        &[("host", "127.0.0.1:3000")],
        &[("host", "dash.test")],
        &[("origin", "https://dash.test")],
        &[("origin", "null")],
    ];
    for headers in forwarded {
        assert!(!is_local(&request(LOOPBACK, headers)), "{headers:?}");
    }
    let mut old = request(LOOPBACK, &[]);
    *old.version_mut() = Version::HTTP_10;
    assert!(!is_local(&old));
    let mut named = request(LOOPBACK, &[]);
    named.headers_mut().insert(header::HOST, HeaderValue::from_static("dash.test"));
    assert!(!is_local(&named));
    named.headers_mut().remove(header::HOST);
    assert!(!is_local(&named), "it names nothing");
    let mut whole = request(LOOPBACK, &[]);
    *whole.uri_mut() = "http://dash.test/".parse().unwrap();
    assert!(!is_local(&whole), "its target names another host");
    *whole.uri_mut() = "http://localhost:3000/".parse().unwrap();
    assert!(is_local(&whole));
    whole.headers_mut().insert(header::HOST, HeaderValue::from_static("dash.test"));
    assert!(!is_local(&whole), "its header names another host");
    let (origin, _) = trusting(&["127.0.0.1"]).origin(&request(LOOPBACK, &[]));
    assert!(!origin.is_local, "a trusted proxy is a proxy, whatever it sends");
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let headers =
        [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), ("x-user", "anna")];
    let request = request("10.0.0.1:1", &headers);
    let (origin, is_https) = trusting(&["10.0.0.0/8"]).origin(&request);
    assert_eq!(origin.address, Some("203.0.113.9".parse().unwrap()));
    assert_eq!((origin.user.as_deref(), is_https), (Some("anna"), true));
    for proxies in [Proxies::default(), trusting(&["192.168.0.0/16"])] {
        let (origin, is_https) = proxies.origin(&request);
        assert_eq!(origin.address, Some("10.0.0.1".parse().unwrap()));
        assert_eq!((origin.user, is_https), (None, false));
    }
}

#[test]
fn the_address_is_the_last_one_that_is_no_proxys() {
    let proxies = trusting(&["10.0.0.0/8"]);
    for (header, text, expected) in [
        ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("x-forwarded-for", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("x-forwarded-for", "203.0.113.9:4711", "203.0.113.9"),
        ("x-forwarded-for", "1.1.1.1, gibberish, 10.0.0.2", "10.0.0.2"),
        ("x-forwarded-for", "gibberish", "10.0.0.1"),
        ("forwarded", "for=1.1.1.1, for=\"[2001:db8::7]:80\";proto=https", "2001:db8::7"),
        ("forwarded", "proto=http;For=203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(
            address(&proxies, &request("10.0.0.1:1", &[(header, text)])),
            expected,
            "{text}"
        );
    }
    let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.1.1.1")];
    assert_eq!(address(&proxies, &request("10.0.0.1:1", &both)), "203.0.113.9");
}

#[test]
fn a_user_who_is_named_twice_or_oddly_is_not_taken_at_their_word() {
    let proxies = trusting(&["10.0.0.1"]);
    let user = |headers: &[(&str, &str)]| proxies.origin(&request("10.0.0.1:1", headers)).0.user;
    assert_eq!(user(&[("x-user", "anna"), ("x-user", "root")]), None);
    assert_eq!(user(&[("x-user", "  ")]), None);
    assert_eq!(user(&[("x-user", &"x".repeat(1_000))]).unwrap().len(), 64);
}

#[test]
fn a_token_is_read_from_the_header_and_a_session_from_its_cookie() {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_static("a=b; strata_session_80=t1"));
    assert_eq!(cookie_value(&headers, "strata_session_80"), Some("t1"));
    assert_eq!(cookie_value(&headers, "strata_session_81"), None);
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
    assert_eq!(bearer(&headers), Some("abc"));
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic abc"));
    assert_eq!(bearer(&headers), None);
}
