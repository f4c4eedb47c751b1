//! A shop whose products and stock come from a SQL database, through two caches. The dashboard of
//! the caches is mounted in it, behind the shop's own log-in and content security policy.

mod log_in;

use std::{env, error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::{Path, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Json, Router, http::StatusCode};
use log_in::{Nonce, Sessions, User};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use strata_cache::{Cache, LoadError, Node, Read};
use strata_dashboard::{Access, Dashboard, EnvironmentColour};
use tokio_util::sync::CancellationToken;

#[derive(Serialize, Deserialize, sqlx::FromRow)]
struct Product {
    name: String,
    cents: i64,
}

#[derive(Clone)]
struct Shop {
    database: SqlitePool,
    products: Cache<i64, Product>,
    stock: Cache<i64, i64>,
}

type Answer<T> = Result<Json<Arc<T>>, StatusCode>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // With a Redis, several copies of the shop share their caches.
    let mut node = Node::builder("shop");
    if let Ok(url) = env::var("REDIS_URL") {
        node = node.redis_url(&url);
    }
    let node = node.start().await?;
    let minute = Duration::from_secs(60);
    let products = Cache::builder("products").time_to_live(minute).build(&node)?;
    let stock = Cache::builder("stock").time_to_live(minute / 12).build(&node)?;
    let shop = Shop { database: database().await?, products, stock };

    let (stop, sessions) = (CancellationToken::new(), Sessions::default());
    let dashboard = Dashboard::new(&node)
        .access(|parts| match parts.extensions.get() {
            Some(User(name)) if name == "anna" => Access::operator(name),
            Some(User(name)) => Access::viewer(name),
            None => Access::nobody(),
        })
        .nonce(|parts| parts.extensions.get().map(|Nonce(nonce)| nonce.clone()))
        .environment("development", EnvironmentColour::Green)
        .home("/products/1")
        .until(stop.clone())
        .router()?;
    let shop = Router::new()
        .route("/products/{id}", get(product))
        .route("/stock/{id}", get(in_stock))
        .route("/login", post(log_in::log_in).with_state(sessions.clone()))
        .with_state(shop);
    let app = match env::var("DASHBOARD_AT").as_deref().unwrap_or("/cache") {
        "/" => shop.fallback_service(dashboard),
        path => shop.nest_service(path, dashboard),
    };
    let app = app.layer(from_fn_with_state(sessions, log_in::identify)).layer(from_fn(log_in::policy));
    let address = env::var("LISTEN").unwrap_or("127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("The shop is at http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stopped).await?)
}

async fn product(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer<Product> {
    let row = sqlx::query_as("SELECT name, cents FROM products WHERE id = ?").bind(id);
    let select = async move || row.fetch_optional(&shop.database).await;
    answer(shop.products.get_or_load(&id, select).await)
}

async fn in_stock(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer<i64> {
    let row = sqlx::query_scalar("SELECT pieces FROM products WHERE id = ?").bind(id);
    let select = async move || row.fetch_optional(&shop.database).await;
    answer(shop.stock.get_or_load(&id, select).await)
}

fn answer<T>(read: Result<Read<T>, LoadError>) -> Answer<T> {
    let read = read.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    read.value.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn database() -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::raw_sql(include_str!("products.sql")).execute(&pool).await?;
    Ok(pool)
}
