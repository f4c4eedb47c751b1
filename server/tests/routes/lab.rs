//! The lab as a browser uses it, with and without scripts.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use strata_server::{RedisChoice, Settings};
use strata_testing::RedisServer;
use tokio::time::{Duration, sleep, timeout};

use crate::support::{Answer, PATIENCE, Running, request, start};

fn with_redis(settings: &mut Settings) {
    settings.redis = RedisChoice::Private;
}

async fn post(running: &Running, path: &str, fields: &str) -> Answer {
    let asked = request(Method::POST, &format!("/api/strata/{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    running.ask(asked.body(Body::from(fields.to_owned())).unwrap()).await
}

/// As a browser without JavaScript sends it from the page of the lesson.
async fn post_from_page(running: &Running, path: &str, fields: &str) -> Answer {
    let asked = request(Method::POST, &format!("/api/strata/{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, "http://127.0.0.1:3000/lab/no-cache");
    running.ask(asked.body(Body::from(fields.to_owned())).unwrap()).await
}

/// The page of a run, once it says so.
async fn page_that_says(running: &Running, address: &str, text: &str) -> String {
    let told = async {
        loop {
            let page = running.get(address).await.text().to_owned();
            if page.contains(text) {
                return page;
            }
            // A page is drawn on the thread on which the run goes on.
            sleep(Duration::from_millis(200)).await;
        }
    };
    // On a loaded machine a lesson takes its time.
    timeout(3 * PATIENCE, told).await.unwrap()
}

fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let tag = page.split('<').find(|tag| tag.contains(&format!("name=\"{name}\""))).unwrap();
    tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}

fn address(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_lesson_is_predicted_run_and_judged() {
    let running = start(|_| {}).await;
    let before = running.get("/lab/no-cache").await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(!before.text().contains("data-testid=\"results\""));
    let asked = "wish[lesson]=no-cache&wish[guess]=1&wish[pace]=all_at_once&wish[ticket]=a\
                 &wish[settings][requests]=20";
    let started = post(&running, "start_run", asked).await;
    let page = page_that_says(&running, &address(&started), "data-phase=\"done\"").await;
    assert!(page.contains("You were right") && page.contains("data-testid=\"results\""));
    assert!(!page.contains(" style=\""), "the policy blocks style attributes");
    let seen = running.get(&address(&started)).await;
    let cookie = seen.header("set-cookie");
    assert!(cookie.starts_with("strata_lab=no-cache;") && cookie.contains("HttpOnly"), "{cookie}");
}

#[tokio::test]
async fn without_scripts_a_form_leads_to_the_run() {
    let running = start(|_| {}).await;
    let page = running.get("/lab/no-cache").await;
    let ticket = field(page.text(), "wish[ticket]");
    let asked = format!(
        "wish%5Blesson%5D=no-cache&wish%5Bticket%5D={ticket}&wish%5Bguess%5D=0\
         &wish%5Bsettings%5D%5Brequests%5D=20&wish%5Bpace%5D=all_at_once"
    );
    let started = post_from_page(&running, "start_run", &asked).await;
    assert_eq!(started.status, StatusCode::FOUND, "{}", started.text());
    let address = started.header("location").to_owned();
    let page = page_that_says(&running, &address, "data-phase=\"done\"").await;
    assert!(page.contains("You said: ") && page.contains("20 instead of 200"));
}

#[tokio::test]
async fn without_scripts_a_refusal_comes_back_to_the_page() {
    let running = start(|_| {}).await;
    let refused = post_from_page(&running, "start_run", "wish[lesson]=no-cache").await;
    assert_eq!(refused.status, StatusCode::FOUND);
    let back = refused.header("location").trim_start_matches("http://127.0.0.1:3000").to_owned();
    let page = running.get(&back).await;
    assert!(page.text().contains("choose an answer first"), "{back}");
}

#[tokio::test]
async fn what_makes_no_run_possible_is_told() {
    let running = start(|_| {}).await;
    for (asked, told) in [
        ("wish[lesson]=no-cache", "choose an answer first"),
        ("wish[lesson]=no-cache&wish[guess]=7", "choose an answer first"),
        ("wish[lesson]=no-cache&wish[guess]=0&wish[settings][nodes]=9", "from 1 to 5"),
        ("wish[lesson]=no-cache&wish[guess]=0&wish[settings][nodes]=two", "a whole number"),
        ("wish[lesson]=no-cache&wish[guess]=0&wish[settings][knots]=2", "a setting named"),
        ("wish[lesson]=no-cache&wish[guess]=0&wish[pace]=sideways", "read what was sent"),
        (
            "wish[lesson]=no-cache&wish[guess]=0&wish[settings][requests]=20000\
             &wish[settings][source_delay_ms]=1000",
            "wait 20000s for the database",
        ),
    ] {
        let answer = post(&running, "start_run", asked).await;
        assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{asked}");
        assert!(answer.text().contains(told), "{asked}: {}", answer.text());
    }
    let unknown = post(&running, "start_run", "wish[lesson]=alchemy&wish[guess]=0").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let needs = post(&running, "start_run", "wish[lesson]=write-behind&wish[guess]=0").await;
    assert_eq!(needs.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(needs.text().contains("without Redis"), "{}", needs.text());
}

/// A redis-server that listens in a folder of an odd name and on TCP, and lets only one user in,
/// who may choose a database.
struct OddRedis(RedisServer);

impl OddRedis {
    const USER: &str = "an/na@x";
    const PASSWORD: &str = "p@:/#%?&=+ü";
    const FOLDER: &str = "my redis #1%20";

    async fn start() -> Self {
        let password = format!(">{}", Self::PASSWORD);
        let users = ["--user", "default", "off", "--user", Self::USER, "on", &password];
        let options = [&users[..], &["~*", "&*", "+@all"]].concat();
        Self(RedisServer::start_in(Self::FOLDER, &options).await)
    }

    fn urls(&self) -> [String; 2] {
        let encoded = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let (user, password) = (encoded(Self::USER), encoded(Self::PASSWORD));
        let folder = format!("{}/{}", self.0.dir().display(), encoded(Self::FOLDER));
        [
            format!("redis://{user}:{password}@127.0.0.1:{}/3", self.0.port()),
            format!("redis+unix://{folder}/redis.sock?db=3&user={user}&pass={password}"),
        ]
    }
}

#[tokio::test]
async fn lessons_reach_a_redis_whatever_its_address_is_made_of() {
    let redis = OddRedis::start().await;
    for url in redis.urls() {
        let running = start(|settings| settings.redis = RedisChoice::Url(url.clone())).await;
        let up = async {
            while !running.get("/readyz").await.text().contains(r#""state":"up""#) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, up).await.unwrap();
        let asked = "wish[lesson]=write-behind&wish[guess]=0&wish[pace]=all_at_once&wish[ticket]=a";
        let started = post(&running, "start_run", asked).await;
        let page = page_that_says(&running, &address(&started), "data-phase=\"done\"").await;
        assert!(page.contains("data-testid=\"results\""), "{url}: {page}");
        assert!(!page.contains("p@:"), "{url}");
    }
}

#[tokio::test]
async fn pressed_twice_it_is_one_run_and_other_settings_are_another() {
    let running = start(|_| {}).await;
    let asked = |nodes_and_more: &str| {
        format!(
            "wish[lesson]=no-cache&wish[guess]=1&wish[pace]=step_by_step&wish[ticket]=t{nodes_and_more}"
        )
    };
    let first = address(&post(&running, "start_run", &asked("")).await);
    // More often than somebody may run experiments: it counts as one of them.
    for _ in 0..8 {
        assert_eq!(address(&post(&running, "start_run", &asked("")).await), first);
    }
    let other = asked("&wish[settings][items]=10");
    assert_ne!(address(&post(&running, "start_run", &other).await), first);
}

#[tokio::test]
async fn a_run_goes_step_by_step_breaks_and_is_mended_and_ends() {
    let running = start(with_redis).await;
    let asked = "wish[lesson]=two-levels&wish[guess]=1&wish[pace]=step_by_step";
    let run = address(&post(&running, "start_run", asked).await);
    let id = run.split("run=").nth(1).unwrap();
    page_that_says(&running, &run, "Play step 2").await;

    let broken = format!("id={id}&inflict=database_away");
    assert_eq!(address(&post(&running, "change_fault", &broken).await), run);
    page_that_says(&running, &run, "value=\"database_away\" aria-pressed=\"true\"").await;
    address(&post(&running, "change_fault", &format!("id={id}&mend=database_away")).await);
    page_that_says(&running, &run, "value=\"database_away\" aria-pressed=\"false\"").await;

    for _ in 0..2 {
        // Pressed twice it is one step.
        address(&post(&running, "step_run", &format!("id={id}&played=1")).await);
    }
    page_that_says(&running, &run, "Play step 3").await;
    address(&post(&running, "finish_run", &format!("id={id}")).await);
    page_that_says(&running, &run, "data-phase=\"done\"").await;
}

#[tokio::test]
async fn a_run_is_stopped_and_one_that_is_not_known_is_told() {
    let running = start(|_| {}).await;
    let asked = "wish[lesson]=no-cache&wish[guess]=1&wish[pace]=step_by_step";
    let run = address(&post(&running, "start_run", asked).await);
    let id = run.split("run=").nth(1).unwrap();
    address(&post(&running, "stop_run", &format!("id={id}")).await);
    let page = page_that_says(&running, &run, "Stopped before the end.").await;
    assert!(page.contains("Run again"));

    let gone = post(&running, "step_run", "id=1-000000&played=1").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let page = running.get("/lab/no-cache?run=1-000000").await;
    assert!(page.text().contains("This run is gone"));
    // A run belongs to its lesson.
    let other = running.get(&format!("/lab/stampede?run={id}")).await;
    assert!(other.text().contains("This run is gone"));
}

#[tokio::test]
async fn who_may_not_act_may_look_but_not_run() {
    let running = start(|settings| settings.read_only = true).await;
    assert!(running.get("/lab/no-cache").await.text().contains("--read-only"));
    let refused = post(&running, "start_run", "wish[lesson]=no-cache&wish[guess]=0").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let audit = running.get("/api/v1/audit").await;
    assert!(audit.text().contains("run_lesson"), "{}", audit.text());
}

#[tokio::test]
async fn what_is_done_is_marked_and_can_be_forgotten() {
    let running = start(|_| {}).await;
    let asked = request(Method::GET, "/lab").header(header::COOKIE, "strata_lab=no-cache.stampede");
    let tour = running.ask(asked.body(Body::empty()).unwrap()).await;
    assert!(tour.text().contains("2 of "), "{}", tour.text());
    assert!(running.get("/lab").await.text().contains("0 of "));
    let forgotten = post(&running, "forget_progress", "").await;
    assert_eq!(address(&forgotten), "/lab");
    assert!(forgotten.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(running.get("/lab/alchemy").await.status, StatusCode::NOT_FOUND);
}
