//! What `/metrics` says: of each node's caches, of the program, and of the requests that it answers.

mod collector;
mod families;
mod http;
mod process;
mod program;
mod several;

pub(crate) use collector::NodeCollector;
pub use collector::NodeMetrics;
pub(crate) use http::{HttpMetrics, observed};
pub(crate) use program::ProgramCollector;
pub use several::LabelledConsole;
pub(crate) use several::{ConsolesCollector, Several};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{HttpMetrics, program};

    const DOCUMENTED: &str = include_str!("../../../docs/monitoring/metrics.md");

    #[test]
    fn every_metric_is_documented_and_no_other() {
        let registry = prometheus::Registry::new();
        let http = HttpMetrics::register(&registry).unwrap();
        http.begin().end("GET", "/", 200);
        let http: Vec<_> =
            registry.gather().iter().map(|family| family.name().to_owned()).collect();
        let nodes = strata_prometheus::families::ALL.iter();
        let own = nodes.chain(&program::ALL).map(|family| family.name.to_owned());
        let exported: BTreeSet<String> = own.chain(http).collect();
        let rows = DOCUMENTED.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented =
            rows.filter_map(|row| row.split_once('`')).map(|(name, _)| name.to_owned());
        assert_eq!(documented.collect::<BTreeSet<_>>(), exported);
    }
}
