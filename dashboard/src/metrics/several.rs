use std::sync::{Arc, OnceLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::collector::NodeCollector;

/// A console among several, and the labels that its numbers have beside their own.
pub struct LabelledConsole {
    /// The same at each scrape: sums of nodes that come and go are kept there.
    pub(crate) numbers: NodeCollector,
    /// Names and values.
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// Which consoles there are at a scrape, once it is said that there may be several.
pub(crate) type Several = Arc<OnceLock<Box<dyn Fn() -> Vec<LabelledConsole> + Send + Sync>>>;

/// The numbers of several consoles, which come and go.
pub(crate) struct ConsolesCollector(pub(crate) Several);

impl Collector for ConsolesCollector {
    /// There may be none at this moment.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let consoles = self.0.get().map(|several| several()).unwrap_or_default();
        consoles.into_iter().flat_map(families).collect()
    }
}

fn families(one: LabelledConsole) -> Vec<MetricFamily> {
    let mut families = one.numbers.collect();
    for family in &mut families {
        family.mut_metric().iter_mut().for_each(|metric| label(metric, &one.labels));
    }
    families
}

fn label(metric: &mut Metric, labels: &[(&'static str, String)]) {
    let mut all = metric.take_label();
    all.extend(labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value(value.clone());
        pair
    }));
    metric.set_label(all);
}
