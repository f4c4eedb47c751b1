//! Comparisons, uploaded traces and the measured table, with and without scripts.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use strata_server::RedisChoice;
use tokio::time::{Duration, sleep, timeout};

use crate::support::{Answer, PATIENCE, Running, request, start};

const BOUNDARY: &str = "----a-boundary";

async fn post(running: &Running, path: &str, fields: &str) -> Answer {
    let asked = request(Method::POST, &format!("/api/strata/{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    running.ask(asked.body(Body::from(fields.to_owned())).unwrap()).await
}

/// As a browser sends the form, or a script that takes JSON.
async fn upload(running: &Running, accept: &str, file: &[u8]) -> Answer {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno-cache\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\ncache-aside\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"<my>.keys\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let asked = request(Method::POST, "/lab/traces")
        .header(header::ACCEPT, accept)
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
    running.ask(asked.body(Body::from(body)).unwrap()).await
}

async fn page_that_says(running: &Running, address: &str, text: &str) -> String {
    let told = async {
        loop {
            let page = running.get(address).await.text().to_owned();
            if page.contains(text) {
                return page;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap()
}

fn address(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_shows_what_is_compared_and_a_press_runs_it() {
    let running = start(|_| {}).await;
    let link = "/lab/compare?a=cache-aside&b=write-through&seed=9&a.l1_entries=50";
    let page = running.get(link).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("name=\"fields[a.l1_entries]\" value=\"50\""));
    assert!(!page.text().contains("data-testid=\"results\""));
    let asked = "fields[a]=cache-aside&fields[b]=write-through&fields[seed]=9\
                 &fields[a.l1_entries]=50&fields[c]=&fields[trace]=&fields[requests]=40&ticket=t";
    let run = address(&post(&running, "compare", asked).await);
    assert!(
        run.starts_with("/lab/compare?a=cache-aside&a.l1_entries=50&b=write-through&"),
        "{run}"
    );
    assert!(run.contains("&seed=9") && run.contains("&requests=40&"), "{run}");
    assert_eq!(address(&post(&running, "compare", asked).await), run, "pressed twice it is one");
    let page = page_that_says(&running, &run, "data-phase=\"done\"").await;
    assert!(
        page.contains("Cache-aside, L1 entries 50") && page.contains("data-testid=\"results\"")
    );
    assert!(!page.contains(" style=\""), "the policy blocks style attributes");
}

#[tokio::test]
async fn what_cannot_be_compared_is_told() {
    let running = start(|_| {}).await;
    for (fields, told) in [
        ("", "compare 0: from 2 to 4"),
        ("fields[a]=no-cache", "compare 1: from 2 to 4"),
        (
            "fields[a]=no-cache&fields[b]=no-cache&fields[c]=no-cache&fields[d]=no-cache\
             &fields[e]=no-cache",
            "compare 5: from 2 to 4",
        ),
        ("fields[a]=no-cache&fields[b]=magic", "find a strategy named"),
        ("fields[a]=no-cache&fields[b]=no-cache&fields[nodes]=9", "from 1 to 5"),
        ("fields[a]=no-cache&fields[b]=no-cache&fields[b.seed]=9", "the same requests"),
        ("fields[a]=no-cache&fields[b]=no-cache&fields[trace]=gone", "find this trace"),
        ("fields[a]=no-cache&fields[b]=durable-write-behind", "without Redis"),
    ] {
        let answer = post(&running, "compare", fields).await;
        assert!(!answer.status.is_success(), "{fields}");
        assert!(answer.text().contains(told), "{fields}: {}", answer.text());
    }
    let page = running.get("/lab/compare?a=no-cache").await;
    assert!(page.text().contains("Failed to compare 1: from 2 to 4"), "the page says so too");
    let page = running.get("/lab/compare?a=no-cache&b=no-cache&run=1-000000").await;
    assert!(page.text().contains("This run is gone"));
    let page = running.get("/lab/compare?a=no-cache&b=no-cache&trace=0123").await;
    assert!(page.text().contains("This trace is gone"));
}

#[tokio::test]
async fn a_trace_is_sent_by_a_form_and_played() {
    let running = start(|_| {}).await;
    let keys = "x\ny\nx\n".repeat(20);
    let sent = upload(&running, "text/html", keys.as_bytes()).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    let link = sent.header("location").to_owned();
    assert!(link.starts_with("/lab/compare?a=no-cache&b=cache-aside&trace="), "{link}");
    let page = page_that_says(&running, &link, "data-state=\"done\"").await;
    assert!(page.contains("&lt;my&gt;.keys, 60 requests for 2 keys"), "{page}");
    let trace = link.split("trace=").nth(1).unwrap();
    let fields = format!("fields[a]=no-cache&fields[b]=cache-aside&fields[trace]={trace}");
    let run = address(&post(&running, "compare", &fields).await);
    let page = page_that_says(&running, &run, "data-phase=\"done\"").await;
    assert_eq!(page.matches("60 reads in").count(), 2);
    let again = upload(&running, "application/json", keys.as_bytes()).await;
    assert_eq!((again.status, again.json()["id"].as_str()), (StatusCode::CREATED, Some(trace)));
}

#[tokio::test]
async fn what_is_no_trace_is_refused_and_says_why() {
    let running = start(|_| {}).await;
    let too_large = vec![b'a'; 3 * 1_024 * 1_024];
    for (file, status, told) in [
        (b"".as_slice(), StatusCode::UNPROCESSABLE_ENTITY, "find a key in it"),
        (b"a\n\x00\x01\n", StatusCode::UNPROCESSABLE_ENTITY, "read line 2"),
        (b"\x1f\x8bnonsense", StatusCode::UNPROCESSABLE_ENTITY, "read it past line 0"),
        (&too_large, StatusCode::PAYLOAD_TOO_LARGE, "more than 2097152 bytes"),
    ] {
        let refused = upload(&running, "application/json", file).await;
        assert_eq!(refused.status, status, "{told}");
        assert!(refused.text().contains(told), "{}", refused.text());
        let refused = upload(&running, "text/html", file).await;
        assert_eq!(refused.status, StatusCode::SEE_OTHER);
        let page = running.get(refused.header("location")).await;
        assert!(
            page.text().contains(&format!("Failed to {told}")) || page.text().contains(told),
            "{told}"
        );
    }
    let asked = request(Method::POST, "/lab/traces").header(header::CONTENT_TYPE, "text/plain");
    let refused = running.ask(asked.body(Body::from("a\nb\n")).unwrap()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn every_other_path_keeps_its_limit() {
    let running = start(|_| {}).await;
    let body = "a".repeat(100_000);
    let asked = request(Method::POST, "/api/strata/compare")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONTENT_LENGTH, body.len());
    let answer = running.ask(asked.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn who_may_not_act_sends_no_trace_and_runs_nothing() {
    let running = start(|settings| settings.read_only = true).await;
    let page = running.get("/lab/compare").await;
    assert!(page.text().contains("--read-only"));
    let fields = "fields[a]=no-cache&fields[b]=cache-aside";
    assert_eq!(post(&running, "compare", fields).await.status, StatusCode::FORBIDDEN);
    assert_eq!(post(&running, "measure", "").await.status, StatusCode::FORBIDDEN);
    let refused = upload(&running, "application/json", b"a\n").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = upload(&running, "text/html", b"a\n").await;
    let page = running.get(refused.header("location")).await;
    assert!(page.text().contains("role=\"alert\""));
}

#[tokio::test]
async fn the_table_is_measured_by_a_press_and_shown_to_everybody() {
    let running = start(|settings| settings.redis = RedisChoice::Private).await;
    let page = running.get("/lab/measured").await;
    assert!(page.text().contains("Nothing was measured yet."));
    assert_eq!(address(&post(&running, "measure", "").await), "/lab/measured");
    let page = page_that_says(&running, "/lab/measured", "data-testid=\"measured\"").await;
    assert_eq!(page.matches("100 kB").count(), 3, "on three levels");
    assert!(page.contains("data-phase=\"done\""));
}
