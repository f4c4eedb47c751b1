//! A dashboard beside other nodes of its namespace, which it sees through Redis.

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use strata_cache::{Cache, Node};
use strata_dashboard::{Access, Dashboard, MountError, Mounted};
use strata_testing::{RedisServer, eventually};
use tokio_util::sync::CancellationToken;

use crate::support::{ask, browser, get};

/// One process of a shop: its node, its cache, and its own dashboard.
struct Shop {
    node: Node,
    products: Cache<u64, String>,
}

impl Shop {
    async fn start(redis: &RedisServer, id: &str) -> Self {
        let node = Node::builder("shop").id(id).redis_url(&redis.url()).start().await.unwrap();
        let products = Cache::builder("products").build(&node).unwrap();
        Self { node, products }
    }

    fn dashboard(&self) -> Dashboard {
        Dashboard::new(&self.node).access(|_| Access::operator("anna"))
    }

    async fn read(&self) {
        let load = async || Ok::<_, std::io::Error>(Some("Teapot".to_owned()));
        self.products.get_or_load(&1, load).await.unwrap();
    }

    async fn is_in_l1(&self) -> bool {
        self.node.look_l1("products", "1").await.unwrap().is_some()
    }
}

fn at_cache(dashboard: Dashboard) -> Router {
    Router::new().nest_service("/cache", dashboard.router().unwrap())
}

async fn json(app: &Router, path: &str) -> Value {
    let answer = get(app, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

/// How many nodes the sums are of, and of how many.
async fn sums(app: &Router) -> (u64, u64) {
    let fleet = json(app, "/cache/api/v1/nodes/rows").await["fleet"].take();
    (fleet["counted"].as_u64().unwrap_or(0), fleet["of"].as_u64().unwrap_or(0))
}

async fn names(app: &Router) -> Vec<String> {
    let nodes = json(app, "/cache/api/v1/nodes").await;
    let named = nodes.as_array().unwrap().iter().map(|node| node["node"].as_str().unwrap());
    let mut named: Vec<_> = named.map(str::to_owned).collect();
    named.sort();
    named
}

async fn until_both_are_counted(app: &Router) {
    eventually("both nodes are counted", async || sums(app).await == (2, 2)).await;
}

async fn has_alert(app: &Router, lint: &str) -> bool {
    json(app, "/cache/api/v1/alerts").await.to_string().contains(lint)
}

/// How many dashboards want reports of the shop's nodes.
async fn n_watching(redis: &RedisServer) -> u64 {
    redis.ask(&["HLEN", "{shop}!fleet:want"]).await
}

#[tokio::test]
async fn the_dashboard_of_each_node_shows_all_of_the_namespace_and_invalidates_on_all() {
    let redis = RedisServer::start().await;
    let shops = [Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await];
    let apps = [at_cache(shops[0].dashboard()), at_cache(shops[1].dashboard())];
    for app in &apps {
        until_both_are_counted(app).await;
        assert_eq!(names(app).await, ["pod-1", "pod-2"]);
        let page = get(app, "/cache/nodes").await.text;
        assert!(page.contains("pod-1") && page.contains("pod-2"), "{page}");
    }
    for app in &apps {
        for shop in &shops {
            shop.read().await;
            assert!(shop.is_in_l1().await);
        }
        let key = browser(Method::DELETE, "/cache/api/v1/caches/products/keys/1");
        let done = ask(app, key).await;
        assert!(done.status.is_success(), "{}", done.text);
        assert!(done.text.contains("\"heard\""), "who has heard of it is told: {}", done.text);
        for shop in &shops {
            eventually("it is gone", async || !shop.is_in_l1().await).await;
        }
    }
}

#[tokio::test]
async fn what_only_another_node_has_is_found_and_invalidated_too() {
    let redis = RedisServer::start().await;
    let (here, there) = (Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await);
    let stock: Cache<u64, u64> = Cache::builder("stock").build(&there.node).unwrap();
    stock.get_or_load(&7, async || Ok::<_, std::io::Error>(Some(3))).await.unwrap();
    let app = at_cache(here.dashboard());
    eventually("its cache is known", async || {
        json(&app, "/cache/api/v1/caches").await.to_string().contains("\"stock\"")
    })
    .await;
    let key = "/cache/api/v1/caches/stock/keys/7";
    let look = json(&app, key).await;
    assert!(look["l2"].to_string().contains("age_ms"), "{look}");
    let done = ask(&app, browser(Method::DELETE, key)).await;
    assert!(done.status.is_success(), "{}", done.text);
    eventually("it is gone", async || there.node.look_l1("stock", "7").await.unwrap().is_none())
        .await;
    assert_eq!(stock.get(&7).await.value, None, "in L2 too");
}

#[tokio::test]
async fn an_entry_of_another_node_is_shown_without_its_value_unless_that_node_allows_it() {
    let redis = RedisServer::start().await;
    let (here, there) = (Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await);
    let secrets: Cache<u64, String> = Cache::builder("secrets").build(&there.node).unwrap();
    let load = async || Ok::<_, std::io::Error>(Some("hunter2".to_owned()));
    secrets.get_or_load(&1, load).await.unwrap();
    let app = at_cache(here.dashboard());
    let path = "/cache/api/v1/caches/secrets/keys/1";
    eventually("it is found", async || {
        let look = get(&app, path).await;
        assert!(!look.text.contains("hunter2"), "{}", look.text);
        look.status == StatusCode::OK && look.text.contains("pod-2")
    })
    .await;
    // The same cache is built here as well, where the application shows its values.
    let own: Cache<u64, String> = Cache::builder("secrets").opaque().build(&here.node).unwrap();
    own.get(&1).await;
    for _ in 0..20 {
        let look = get(&app, path).await;
        assert!(!look.text.contains("hunter2"), "{}", look.text);
    }
}

#[tokio::test]
async fn where_only_the_given_nodes_are_shown_nothing_of_others_is_read() {
    let redis = RedisServer::start().await;
    let shops = [Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await];
    let app = at_cache(shops[0].dashboard().only_these_nodes());
    // The other one is seen by its own dashboard.
    let other = at_cache(shops[1].dashboard());
    until_both_are_counted(&other).await;
    assert_eq!(names(&app).await, ["pod-1"]);
    assert_eq!(n_watching(&redis).await, 1, "the other dashboard alone");
}

#[tokio::test]
async fn with_the_dashboard_ends_what_it_wants_of_other_nodes() {
    let redis = RedisServer::start().await;
    let shop = Shop::start(&redis, "pod-1").await;
    let stop = CancellationToken::new();
    let Mounted { router, end } = shop.dashboard().until(stop.clone()).mount().unwrap();
    let app: Router = Router::new().nest_service("/cache", router);
    eventually("it watches", async || n_watching(&redis).await == 1).await;
    stop.cancel();
    end.finished().await;
    assert_eq!(n_watching(&redis).await, 0);
    drop(app);
    let app = at_cache(shop.dashboard());
    eventually("it watches", async || n_watching(&redis).await == 1).await;
    drop(app);
    eventually("it ends with its router", async || n_watching(&redis).await == 0).await;
}

#[tokio::test]
async fn while_redis_is_away_the_numbers_are_of_this_process_and_nobody_is_lost() {
    let mut redis = RedisServer::start().await;
    let shops = [Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await];
    let app = at_cache(shops[0].dashboard());
    until_both_are_counted(&app).await;
    redis.kill();
    eventually("it says so", async || has_alert(&app, "fleet_unheard").await).await;
    eventually("it counts itself", async || sums(&app).await == (1, 2)).await;
    assert!(!has_alert(&app, "node_gone").await);
    for path in ["/cache", "/cache/nodes", "/cache/caches/products"] {
        assert_eq!(get(&app, path).await.status, StatusCode::OK, "{path}");
    }
    redis.restart().await;
    until_both_are_counted(&app).await;
    let activity = json(&app, "/cache/api/v1/activity").await.to_string();
    assert_eq!(activity.matches("node_appeared").count(), 2, "each at the beginning: {activity}");
    assert!(!activity.contains("node_vanished"), "{activity}");
}

#[tokio::test]
async fn each_node_has_its_metrics_at_its_own_dashboard_alone() {
    let redis = RedisServer::start().await;
    let shops = [Shop::start(&redis, "pod-1").await, Shop::start(&redis, "pod-2").await];
    let app = at_cache(shops[0].dashboard());
    until_both_are_counted(&app).await;
    for path in ["/cache/metrics", "/cache/readyz"] {
        let said = get(&app, path).await.text;
        assert!(said.contains("pod-1") && !said.contains("pod-2"), "{path}: {said}");
    }
}

#[tokio::test]
async fn a_large_fleet_is_not_read_while_nobody_looks() {
    let redis = RedisServer::start().await;
    let shop = Shop::start(&redis, "pod-1").await;
    let beat = "local t = redis.call('TIME')
        for n = 1, 40 do redis.call('ZADD', KEYS[1], t[1] * 1000 + 60000, 'ghost-' .. n) end
        redis.call('PEXPIRE', KEYS[1], 600000)";
    let () = redis.ask(&["EVAL", beat, "1", "{shop}!fleet:nodes"]).await;
    let app = at_cache(shop.dashboard());
    eventually("it rests", async || {
        let () = redis.ask(&["EVAL", beat, "1", "{shop}!fleet:nodes"]).await;
        // A probe is no look.
        get(&app, "/cache/healthz").await;
        n_watching(&redis).await == 0 && has_begun(&redis).await
    })
    .await;
    let page = get(&app, "/cache/nodes").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(n_watching(&redis).await, 1, "somebody looks");
    assert!(page.text.contains("ghost-1"), "whoever looks first sees them: {}", page.text);
}

/// Whether a dashboard has wanted anything yet.
async fn has_begun(redis: &RedisServer) -> bool {
    let scripts: String = redis.ask(&["INFO", "commandstats"]).await;
    scripts.contains("cmdstat_zrevrange")
}

#[tokio::test]
async fn nodes_of_another_redis_are_refused_by_name() {
    let (redis, elsewhere) = (RedisServer::start().await, RedisServer::start().await);
    let (one, other) = (Shop::start(&redis, "pod-1").await, Shop::start(&elsewhere, "pod-2").await);
    let alone = Node::builder("shop").id("pod-3").start().await.unwrap();
    for node in [&other.node, &alone] {
        let mounted = Dashboard::new(&one.node).nodes([node]).router::<()>();
        let Err(error @ MountError::Redis { .. }) = mounted else { panic!("{mounted:?}") };
        let said = error.to_string();
        assert!(said.contains("pod-1") && said.contains(node.id()), "{said}");
    }
    let again = Shop::start(&redis, "pod-4").await;
    assert!(Dashboard::new(&one.node).nodes([&again.node]).router::<()>().is_ok());
}

#[tokio::test]
async fn an_address_of_redis_is_named_without_its_password() {
    let redis = RedisServer::start().await;
    let with = |secret: &str| format!("{}?user=default&pass={secret}", redis.url());
    let node = |id: &'static str, url: String| async move {
        Node::builder("shop").id(id).redis_url(&url).start().await.unwrap()
    };
    let (one, other) = (node("1", with("hunter2")).await, node("2", redis.tcp_url()).await);
    let mounted = Dashboard::new(&one).nodes([&other]).router::<()>();
    let said = mounted.unwrap_err().to_string();
    assert!(said.contains("unix:") && !said.contains("hunter2"), "{said}");
}
