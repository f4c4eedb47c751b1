use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};
use strata_cache::Node;

use super::series::NodeFamilies;

/// Exports one node of this process and its caches, as of the moment of each scrape. Cheap to clone.
/// It keeps the node's memory, and not its tasks: of a node that was shut down the last numbers are
/// exported.
#[derive(Clone)]
pub struct Exporter {
    node: Node,
    descs: Vec<Desc>,
}

impl Exporter {
    /// Exports this node. Its series carry its id as the label `node`.
    ///
    /// # Errors
    /// Never where the crate is as it was released: a name or help of a family is not one.
    pub fn new(node: &Node) -> Result<Self, prometheus::Error> {
        Ok(Self { node: node.clone(), descs: NodeFamilies::descriptions()? })
    }

    /// The metrics in Prometheus's text form, for a service without a registry. Its content type is
    /// [`prometheus::TEXT_FORMAT`].
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let registry = Registry::new();
        registry.register(Box::new(self.clone()))?;
        TextEncoder::new().encode_to_string(&registry.gather())
    }
}

impl Collector for Exporter {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut out = NodeFamilies::default();
        out.add_node(&self.node.report());
        out.into_families()
    }
}

#[cfg(test)]
mod tests {
    use strata_cache::Cache;

    use super::*;

    #[tokio::test]
    async fn a_service_exports_what_its_caches_count() {
        let node = Node::builder("shop").id("pod-7").start().await.unwrap();
        let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
        let load = || async { Ok::<_, std::io::Error>(Some("Ada".to_owned())) };
        for _ in 0..3 {
            users.get_or_load(&1, load).await.unwrap();
        }
        let text = Exporter::new(&node).unwrap().text().unwrap();
        for line in [
            r#"cache_requests_total{cache="users",node="pod-7",outcome="l1_hit"} 2"#,
            r#"cache_requests_total{cache="users",node="pod-7",outcome="loaded"} 1"#,
            r#"cache_bus_connected{node="pod-7"} 0"#,
        ] {
            assert!(text.lines().any(|found| found == line), "no line {line}\n{text}");
        }
    }

    #[tokio::test]
    async fn two_nodes_stand_side_by_side_in_one_registry() {
        let one = Node::builder("shop").id("1").start().await.unwrap();
        let registry = Registry::new();
        registry.register(Box::new(Exporter::new(&one).unwrap())).unwrap();
        assert!(!registry.gather().is_empty());
    }
}
