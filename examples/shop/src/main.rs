//! A shop whose products and stock come from a SQL database, through two caches. The dashboard of
//! the caches is mounted in it, behind the shop's own log-in and content security policy.

mod log_in;
mod shop;

use std::{env, error::Error, net::SocketAddr};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use log_in::{Nonce, Sessions, User};
use shop::Shop;
use strata_cache::Node;
use strata_dashboard::{Access, Dashboard, EnvironmentColour, Mounted};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // With a Redis, several copies of the shop share their caches.
    let mut node = Node::builder("shop");
    if let Ok(url) = env::var("REDIS_URL") {
        node = node.redis_url(&url);
    }
    let node = node.start().await?;
    // Before the dashboard, which knows caches of the node that are built later after a second.
    let products = Shop::open(&node).await?;
    let (stop, sessions) = (CancellationToken::new(), Sessions::default());
    let Mounted { router: dashboard, end } = Dashboard::new(&node)
        .access(|parts| match parts.extensions.get() {
            Some(User(name)) if name == "anna" => Access::operator(name),
            Some(User(name)) => Access::viewer(name),
            None => Access::nobody(),
        })
        .nonce(|parts| parts.extensions.get().map(|Nonce(nonce)| nonce.clone()))
        .environment("development", EnvironmentColour::Green)
        .home("/products/1")
        .until(stop.clone())
        .mount()?;
    let shop = Router::new()
        .route("/products/{id}", get(shop::product))
        .route("/stock/{id}", get(shop::in_stock))
        .with_state(products)
        .route("/login", post(log_in::log_in).with_state(sessions.clone()));
    let app = match env::var("DASHBOARD_AT").as_deref().unwrap_or("/cache") {
        "/" => shop.fallback_service(dashboard),
        path => shop.nest_service(path, dashboard),
    };
    let app =
        app.layer(from_fn_with_state(sessions, log_in::identify)).layer(from_fn(log_in::policy));
    let address = env::var("LISTEN").unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("The shop is at http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    // What people did last goes to Redis before the node leaves it.
    end.finished().await;
    node.shutdown().await;
    Ok(())
}
