//! Products and their stock, each read through a cache of its own.

use std::{error::Error, sync::Arc, time::Duration};

use axum::extract::{Path, State};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use strata_cache::{Cache, LoadError, Node, Read};

#[derive(Serialize, Deserialize)]
pub struct Product {
    name: String,
    cents: i64,
}

#[derive(Clone)]
pub struct Shop {
    database: SqlitePool,
    products: Cache<i64, Product>,
    stock: Cache<i64, i64>,
}

type Answer<T> = Result<Json<Arc<T>>, StatusCode>;

impl Shop {
    pub async fn open(node: &Node) -> Result<Self, Box<dyn Error>> {
        let database =
            SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
        sqlx::raw_sql(include_str!("products.sql")).execute(&database).await?;
        let products = Cache::builder("products").time_to_live(Duration::from_secs(60));
        let stock = Cache::builder("stock").time_to_live(Duration::from_secs(5));
        Ok(Self { database, products: products.build(node)?, stock: stock.build(node)? })
    }
}

pub async fn product(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer<Product> {
    let row = sqlx::query_as("SELECT name, cents FROM products WHERE id = ?").bind(id);
    let select = async move || -> Result<_, sqlx::Error> {
        let row = row.fetch_optional(&shop.database).await?;
        Ok(row.map(|(name, cents)| Product { name, cents }))
    };
    answer(shop.products.get_or_load(&id, select).await)
}

pub async fn in_stock(State(shop): State<Shop>, Path(id): Path<i64>) -> Answer<i64> {
    let row = sqlx::query_scalar("SELECT pieces FROM products WHERE id = ?").bind(id);
    let select = async move || row.fetch_optional(&shop.database).await;
    answer(shop.stock.get_or_load(&id, select).await)
}

fn answer<T>(read: Result<Read<T>, LoadError>) -> Answer<T> {
    let read = read.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    read.value.map(Json).ok_or(StatusCode::NOT_FOUND)
}
