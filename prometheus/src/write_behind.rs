use strata_report::{WriteBehindKind, WriteBehindReport};

use super::exposition::{Exposition, Labels};
use super::families as f;

/// What a node says of the write-behind of one cache; `node` is its label, if any.
pub(crate) fn add(out: &mut Exposition, node: Labels<'_>, report: &WriteBehindReport) {
    let kind = match report.kind {
        WriteBehindKind::Memory => "memory",
        WriteBehindKind::Durable => "durable",
        WriteBehindKind::Other => "other",
    };
    let cache = ("cache", report.cache.as_str());
    let labels = [&[cache], node, &[("kind", kind)]].concat();
    let labels = labels.as_slice();
    out.gauge(&f::WRITES_PENDING, labels, report.queued);
    out.gauge(&f::WRITES_CAPACITY, labels, report.capacity);
    out.gauge(&f::DEAD_LETTERS, labels, report.aside);
    out.gauge(&f::WRITES_FAILING, labels, report.failing);
    let oldest_s = report.oldest_age_ms.unwrap_or(0) as f64 / 1e3;
    out.seconds(&f::WRITES_OLDEST, labels, oldest_s);
    let events = [
        ("accepted", report.accepted),
        ("written", report.written),
        ("retried", report.retried),
        ("set_aside", report.set_aside),
        ("redriven", report.redriven),
        ("coalesced", report.coalesced),
        ("refused", report.refused),
        ("dropped", report.dropped),
        ("claimed", report.claimed),
    ];
    for (event, count) in events {
        out.count(&f::WRITES, &[labels, &[("event", event)]].concat(), count);
    }
    out.count(&f::SINK_FAILURES, labels, report.failed);
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn each_figure_of_a_write_behind_is_exported() {
        let report = WriteBehindReport {
            cache: "users".to_owned(),
            kind: WriteBehindKind::Durable,
            queued: 3,
            capacity: 100,
            oldest_age_ms: Some(1_500),
            aside: 2,
            failing: 1,
            accepted: 40,
            set_aside: 5,
            failed: 7,
            ..WriteBehindReport::default()
        };
        let mut out = Exposition::default();
        add(&mut out, &[("node", "1")], &report);
        let text = TextEncoder::new().encode_to_string(&out.into_families()).unwrap();
        let labels = r#"cache="users",node="1",kind="durable""#;
        for line in [
            format!("cache_write_behind_pending{{{labels}}} 3"),
            format!("cache_write_behind_capacity{{{labels}}} 100"),
            format!("cache_write_behind_oldest_seconds{{{labels}}} 1.5"),
            format!("cache_write_behind_dead_letters{{{labels}}} 2"),
            format!("cache_write_behind_failing{{{labels}}} 1"),
            format!("cache_write_behind_rows_total{{{labels},event=\"accepted\"}} 40"),
            format!("cache_write_behind_rows_total{{{labels},event=\"set_aside\"}} 5"),
            format!("cache_write_behind_rows_total{{{labels},event=\"written\"}} 0"),
            format!("cache_write_behind_sink_failures_total{{{labels}}} 7"),
        ] {
            assert!(text.lines().any(|found| found == line), "no line {line}\n{text}");
        }
    }
}
