use std::sync::{Arc, Mutex, PoisonError};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use strata_console::{Console, SharedReport};
use strata_prometheus::{NodeFamilies, NodeTotals};

/// Whether metrics tell nodes apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeMetrics {
    /// Each node has series of its own.
    #[default]
    EachNode,
    /// Nodes are added up by cache, so that a thousand of them make no more series than one.
    ByCache,
}

/// Turns the console's newest reports into Prometheus families, so that a scrape and the screen
/// show the same numbers. Cheap to clone; all clones add up in one place.
#[derive(Clone)]
pub(crate) struct NodeCollector {
    console: Console,
    /// Where nodes are added up.
    totals: Option<Arc<Mutex<NodeTotals<SharedReport>>>>,
    descs: Arc<[Desc]>,
}

impl NodeCollector {
    /// # Errors
    /// When a family's name or help is not one.
    pub(crate) fn new(console: Console, detail: NodeMetrics) -> Result<Self, prometheus::Error> {
        let totals = match detail {
            NodeMetrics::EachNode => None,
            NodeMetrics::ByCache => Some(Arc::default()),
        };
        Ok(Self { console, totals, descs: NodeFamilies::descriptions()?.into() })
    }

    /// Whose nodes' numbers they are.
    pub(crate) fn console(&self) -> &Console {
        &self.console
    }

    /// Of another console, in the same detail.
    pub(crate) fn beside(&self, console: Console) -> Self {
        let totals = self.totals.as_ref().map(|_| Arc::default());
        Self { console, totals, descs: Arc::clone(&self.descs) }
    }
}

impl Collector for NodeCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut out = NodeFamilies::default();
        let (reports, own) = (self.console.own_reports(), self.console.tasks());
        match &self.totals {
            Some(totals) => {
                let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                totals.take(reports);
                totals.add_to(&mut out, &own);
            }
            None => {
                reports.iter().for_each(|report| out.add_node(report));
                out.add_program_tasks(&own);
            }
        }
        out.add_shared(&self.console.frame());
        out.into_families()
    }
}

#[cfg(test)]
mod tests {
    use strata_cache::{Cache, Node};
    use strata_console::{Access, AccessSettings};
    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn node_with(cache: &str) -> (Arc<Node>, Cache<u64, u64>) {
        let node = Node::builder("test").id("1").start().await.unwrap();
        let cache = Cache::builder(cache).build(&node).unwrap();
        (Arc::new(node), cache)
    }

    #[tokio::test]
    async fn caches_of_attached_nodes_have_no_series() {
        let (own, _users) = node_with("users").await;
        let (attached, _lab) = node_with("lab-1").await;
        let access = Access::new(AccessSettings::default());
        let console = Console::start(vec![own], access, CancellationToken::new());
        let _attached = console.attach(attached);
        let mut ticks = console.subscribe();
        ticks.changed().await.unwrap();
        assert!(console.cache("lab-1").is_ok_and(|cache| cache.attached));
        let collector = NodeCollector::new(console, NodeMetrics::EachNode).unwrap();
        let names = |metric: &prometheus::proto::Metric| -> Vec<String> {
            metric.get_label().iter().map(|label| label.value().to_owned()).collect()
        };
        let labels: Vec<_> = collector
            .collect()
            .iter()
            .flat_map(|family| family.get_metric())
            .flat_map(names)
            .collect();
        assert!(labels.iter().any(|label| label == "users"));
        assert!(labels.iter().all(|label| label != "lab-1"));
    }

    #[tokio::test]
    async fn nodes_that_are_added_up_have_no_label_of_their_own() {
        let (own, _users) = node_with("users").await;
        let access = Access::new(AccessSettings::default());
        let console = Console::start(vec![own], access, CancellationToken::new());
        let registry = prometheus::Registry::new();
        let collector = NodeCollector::new(console, NodeMetrics::ByCache).unwrap();
        registry.register(Box::new(collector)).unwrap();
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for series in [
            r#"cache_requests_total{cache="users",outcome="l1_hit"} 0"#,
            r#"strata_nodes{state="up"} 1"#,
            r#"strata_task_running{task="sampler"} 1"#,
        ] {
            assert!(text.lines().any(|line| line == series), "no {series}\n{text}");
        }
        assert!(!text.contains("node="), "{text}");
    }
}
