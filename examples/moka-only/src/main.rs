//! A service with a moka cache, as there are many. The lines marked with `+` were added: they show the
//! cache at `/cache`.

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use moka::future::Cache;
use strata_cache::{Node, Observed, Observer}; // +
use strata_dashboard::Dashboard; // +

type Squares = Observed<Cache<u64, String>>; // + (was: Cache<u64, String>)

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::builder("squares").start().await?; // +
    let observer = Observer::new(&node, "squares")?; // +
    let squares = Cache::builder()
        .max_capacity(1_000)
        .eviction_listener(observer.listener()) // +
        .build();
    let squares: Squares = observer.observe_keys(squares); // +
    let app = Router::new()
        .route("/squares/{number}", get(square))
        .with_state(squares)
        .nest_service("/cache", Dashboard::new(&node).router()?); // +
    let address = std::env::var("LISTEN").unwrap_or("127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("Squares are at http://{}/squares/12", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>(); // +
    Ok(axum::serve(listener, app).await?)
}

async fn square(State(squares): State<Squares>, Path(number): Path<u64>) -> String {
    squares.get_with(number, async { number.saturating_mul(number).to_string() }).await
}
