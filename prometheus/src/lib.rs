//! What nodes of Strata count, as Prometheus has it: the same names and labels from a service, from
//! the demo and from a dashboard.
//!
//! A service that has a registry of its own registers an [`Exporter`] there. One that has none
//! answers its scrapes with [`Exporter::text`].
//!
//! ```
//! use strata_cache::{Cache, Node};
//! use strata_prometheus::Exporter;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::builder("shop").id("pod-7").start().await?;
//! let _users: Cache<u64, String> = Cache::builder("users").build(&node)?;
//! let registry = prometheus::Registry::new();
//! registry.register(Box::new(Exporter::new(&node)?))?;
//! assert!(Exporter::new(&node)?.text()?.contains(r#"cache_requests_total{cache="users",node="pod-7""#));
//! # Ok(())
//! # }
//! ```
//!
//! Whoever has the reports of many nodes exports each of them ([`NodeFamilies::add_node`]), or adds
//! them up by cache ([`NodeTotals`]).

#![warn(missing_docs)]

mod exporter;
mod exposition;
pub mod families;
mod series;
mod totals;
mod write_behind;

pub use exporter::Exporter;
pub use exposition::{Exposition, Labels};
pub use families::Family;
pub use series::NodeFamilies;
pub use totals::NodeTotals;
