//! What a beat carries: the node's report without what few look at, cut where it is too large.

use std::collections::BTreeSet;

use strata_report::{Ages, CacheReport, FleetReport, Groups, NodeReport};

use super::form;

/// Takes out of a report what only those look at who have a cache's own page open: groups, hot
/// and missed keys, other capacities, ages. Those of the `wanted` caches stay.
pub(super) fn without_details(report: &mut FleetReport, wanted: &BTreeSet<String>) {
    for cache in &mut report.report.caches {
        if wanted.contains(&cache.cache) {
            report.detailed.push(cache.cache.clone());
        } else {
            strip(cache);
        }
    }
}

/// Takes out of a cache's report what names keys, which only those see who may look.
pub(super) fn without_key_names(cache: &mut CacheReport) {
    (cache.hot_keys, cache.missed_keys) = (None, None);
}

fn strip(cache: &mut CacheReport) {
    cache.groups = Groups::default();
    (cache.hot_keys, cache.missed_keys, cache.what_if) = (None, None, None);
    cache.l1.ages_ms = Ages::default();
}

/// The report's bytes. Where they would be too large, details go first, then caches, the last by
/// name before the others; the report says how many.
pub(super) fn write(report: &mut FleetReport) -> Option<Vec<u8>> {
    if let Some(bytes) = form::write(report, form::MAX_BYTES) {
        return Some(bytes);
    }
    report.detailed.clear();
    report.report.caches.iter_mut().for_each(strip);
    report.report.caches.sort_by(|a, b| a.cache.cmp(&b.cache));
    let mut caches = std::mem::take(&mut report.report.caches);
    report.cut = caches.len() as u64;
    let json_bytes =
        |cache: &CacheReport| serde_json::to_vec(cache).map_or(usize::MAX, |json| json.len());
    // With room for the number of those that are cut.
    let mut left = form::MAX_BYTES.checked_sub(serde_json::to_vec(&report).ok()?.len() + 32)?;
    let fits = |cache: &CacheReport| {
        let rest = left.checked_sub(json_bytes(cache).saturating_add(1));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let n_fit = caches.iter().map_while({
        let mut fits = fits;
        move |cache| fits(cache).then_some(())
    });
    let n_fit = n_fit.count();
    report.cut = (caches.len() - n_fit) as u64;
    caches.truncate(n_fit);
    report.report.caches = caches;
    form::write(report, form::MAX_BYTES)
}

/// What remains of a report that is too large without any cache.
pub(super) fn write_bare(report: FleetReport) -> Option<Vec<u8>> {
    let whole = report.report;
    let bare = NodeReport {
        node: whole.node,
        version: whole.version,
        started_at_ms: whole.started_at_ms,
        at_ms: whole.at_ms,
        bus: whole.bus,
        l2: whole.l2,
        ..NodeReport::default()
    };
    form::write(&FleetReport { report: bare, ..report }, form::MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use strata_report::GroupReport;

    use super::*;

    fn cache(name: String) -> CacheReport {
        let group = GroupReport { group: "posts".to_owned(), ..GroupReport::default() };
        let groups = Groups { groups: vec![group], overflow: 0 };
        CacheReport { cache: name, groups, ..CacheReport::default() }
    }

    fn of(n_caches: usize) -> FleetReport {
        let caches = (0..n_caches).rev().map(|n| cache(format!("cache-{n:05}"))).collect();
        let report = NodeReport { caches, ..NodeReport::default() };
        FleetReport { report, ..FleetReport::default() }
    }

    fn read(bytes: &[u8]) -> FleetReport {
        form::read(bytes, form::MAX_BYTES).unwrap()
    }

    #[test]
    fn details_go_along_for_the_caches_that_somebody_looks_at() {
        let mut report = of(3);
        without_details(&mut report, &BTreeSet::from(["cache-00001".to_owned()]));
        assert_eq!(report.detailed, ["cache-00001"]);
        let groups = |n: usize| report.report.caches[n].groups.groups.len();
        assert_eq!((groups(0), groups(1), groups(2)), (0, 1, 0));
    }

    #[test]
    fn what_fits_goes_whole_and_what_does_not_is_cut_by_name_and_counted() {
        let whole = read(&write(&mut of(3)).unwrap());
        assert_eq!((whole.report.caches.len(), whole.cut), (3, 0));
        let cut = read(&write(&mut of(2_000)).unwrap());
        let kept = cut.report.caches.len();
        assert!((10..2_000).contains(&kept), "{kept}");
        assert_eq!(cut.cut, 2_000 - kept as u64);
        let names = cut.report.caches.iter().map(|cache| cache.cache.clone());
        let first = (0..kept).map(|n| format!("cache-{n:05}"));
        assert!(names.eq(first));
    }

    #[test]
    fn a_report_that_is_too_large_without_any_cache_goes_without_what_is_too_large() {
        let mut report = of(3);
        report.report.structures = vec!["x".repeat(1_000); 300];
        report.report.node = "pod-7".to_owned();
        assert_eq!(write(&mut report), None);
        let bare = read(&write_bare(report).unwrap());
        assert_eq!((&*bare.report.node, bare.report.caches.len(), bare.cut), ("pod-7", 0, 3));
    }
}
