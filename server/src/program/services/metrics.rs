use std::sync::{Arc, Weak};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::list::Services;
use super::service_id::ServiceId;

/// The numbers of all services, each with the labels `namespace` and, where its Redis has a name,
/// `redis`.
pub(in super::super) struct ServicesCollector(Weak<Services>);

impl ServicesCollector {
    pub(in super::super) fn new(services: &Arc<Services>) -> Self {
        Self(Arc::downgrade(services))
    }
}

impl Collector for ServicesCollector {
    /// Services come and go, and their families with them.
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(services) = self.0.upgrade() else { return Vec::new() };
        let of = |service: &Arc<super::service::Service>| {
            let mut families = service.families();
            for family in &mut families {
                family.mut_metric().iter_mut().for_each(|metric| label(metric, &service.id));
            }
            families
        };
        services.all().iter().flat_map(of).collect()
    }
}

fn label(metric: &mut Metric, id: &ServiceId) {
    let labels = [("namespace", Some(&id.namespace)), ("redis", id.redis.as_ref())];
    let mut all = metric.take_label();
    for (name, value) in labels {
        let Some(value) = value else { continue };
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.clone());
        all.push(pair);
    }
    metric.set_label(all);
}
