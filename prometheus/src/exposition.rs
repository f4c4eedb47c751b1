use std::collections::BTreeMap;

use prometheus::proto::{self, LabelPair, Metric, MetricFamily, MetricType};
use strata_report::{BOUNDS_NS, Histogram};

use super::families::Family;

/// Labels of one series.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// Families of metrics being filled. Each series must be added once: Prometheus rejects a repeated one.
#[derive(Debug, Default)]
pub struct Exposition {
    families: BTreeMap<&'static str, MetricFamily>,
}

impl Exposition {
    /// Adds a counter.
    pub fn count(&mut self, family: &'static Family, labels: Labels<'_>, count: u64) {
        let mut counter = proto::Counter::default();
        counter.set_value(count as f64);
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        self.add(family, metric);
    }

    /// Adds a gauge.
    pub fn gauge(&mut self, family: &'static Family, labels: Labels<'_>, value: u64) {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value as f64);
        let mut metric = labelled(labels);
        metric.set_gauge(gauge);
        self.add(family, metric);
    }

    /// Adds a counter or a gauge of seconds, with their fractions.
    pub fn seconds(&mut self, family: &'static Family, labels: Labels<'_>, seconds: f64) {
        let mut metric = labelled(labels);
        if family.kind == MetricType::COUNTER {
            let mut counter = proto::Counter::default();
            counter.set_value(seconds);
            metric.set_counter(counter);
        } else {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(seconds);
            metric.set_gauge(gauge);
        }
        self.add(family, metric);
    }

    /// Adds a histogram of durations.
    pub fn histogram(
        &mut self,
        family: &'static Family,
        labels: Labels<'_>,
        histogram: &Histogram,
    ) {
        let mut metric = labelled(labels);
        metric.set_histogram(convert(histogram));
        self.add(family, metric);
    }

    /// All that was added, by the names of the families.
    pub fn into_families(self) -> Vec<MetricFamily> {
        self.families.into_values().collect()
    }

    fn add(&mut self, family: &'static Family, metric: Metric) {
        let filled = self.families.entry(family.name).or_insert_with(|| {
            let mut empty = MetricFamily::default();
            empty.set_name(family.name.to_owned());
            empty.set_help(family.help.to_owned());
            empty.set_field_type(family.kind);
            empty
        });
        filled.mut_metric().push(metric);
    }
}

fn labelled(labels: Labels<'_>) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

/// Every second bound, so the series are 1, 2 and 5 a decade; counts are cumulative.
fn convert(histogram: &Histogram) -> proto::Histogram {
    let mut below = 0;
    let mut buckets = Vec::with_capacity(BOUNDS_NS.len().div_ceil(2));
    for (i, (bound_ns, count)) in BOUNDS_NS.iter().zip(histogram.counts()).enumerate() {
        below += count;
        if i.is_multiple_of(2) {
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*bound_ns as f64 / 1e9);
            bucket.set_cumulative_count(below);
            buckets.push(bucket);
        }
    }
    let mut out = proto::Histogram::default();
    out.set_sample_count(histogram.count());
    out.set_sample_sum(histogram.sum_ns() as f64 / 1e9);
    out.set_bucket(buckets);
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn buckets_are_cumulative_and_go_1_2_5() {
        let mut histogram = Histogram::default();
        for us in [1, 2, 3, 4, 90_000_000] {
            histogram.record(Duration::from_micros(us));
        }
        let converted = convert(&histogram);
        let bounds: Vec<f64> = converted.get_bucket().iter().map(|b| b.upper_bound()).collect();
        assert_eq!(&bounds[..4], [1e-7, 2e-7, 5e-7, 1e-6]);
        assert_eq!(bounds.last(), Some(&50.0));
        let up_to = |bound: f64| {
            let bucket = converted.get_bucket().iter().find(|b| b.upper_bound() == bound);
            bucket.unwrap().cumulative_count()
        };
        assert_eq!((up_to(1e-6), up_to(2e-6), up_to(5e-6), up_to(50.0)), (1, 2, 4, 4));
        assert_eq!(converted.get_sample_count(), 5);
    }
}
