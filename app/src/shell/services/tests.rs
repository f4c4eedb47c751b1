use std::sync::Arc;

use strata_report::{CacheFrame, FleetSums, Frame, Outcomes, Window};

use super::{ListedRedis, ListedService, ServicesPage};

fn service(id: &str, fleet: FleetSums) -> ListedService {
    let outcomes = Outcomes { l1_hit: 900, l2_hit: 50, loaded: 50, ..Outcomes::default() };
    let recent = Window { span_ms: 10_000, outcomes, ..Window::default() };
    let caches = vec![CacheFrame { recent, ..CacheFrame::default() }];
    let frame = Frame { caches, fleet: Some(fleet), ..Frame::default() };
    let (redis, namespace) = match id.split_once(':') {
        Some((redis, namespace)) => (Some(redis.to_owned()), namespace.to_owned()),
        None => (None, id.to_owned()),
    };
    ListedService { id: id.to_owned(), namespace, redis, frame: Arc::new(frame) }
}

fn page(services: Vec<ListedService>, failure: Option<&str>) -> String {
    let redis = ListedRedis {
        name: None,
        address: "redis://127.0.0.1".to_owned(),
        failure: failure.map(str::to_owned),
        note: None,
    };
    let page = ServicesPage {
        services,
        redis: vec![redis],
        alerts: vec!["0 of 6 nodes of depot are heard.".to_owned()],
        visitor: None,
        can_log_in: false,
        theme: None,
    };
    page.draw(None)
}

#[test]
fn a_service_shows_its_reads_its_shares_and_its_nodes() {
    let fleet = FleetSums { counted: 2, of: 3, late: 1, was_heard: true, ..FleetSums::default() };
    let page = page(vec![service("eu:shop", fleet)], None);
    for said in [
        "/s/eu:shop/",
        "100",
        "90.0",
        "1 of 3 nodes up, 1 late",
        "no alerts",
        "0 of 6 nodes of depot",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[test]
fn numbers_of_a_service_that_is_not_heard_are_none_and_not_noughts() {
    let fleet =
        FleetSums { of: 3, unheard_ms: Some(12_000), was_heard: true, ..FleetSums::default() };
    let page = page(vec![service("eu:shop", fleet)], Some("Redis is away."));
    assert!(page.contains("I cannot reach Redis eu; last heard 12 s ago."), "{page}");
    assert!(page.contains("Redis is away."), "{page}");
    assert!(!page.contains("Reads/s") && !page.contains("nodes up"), "{page}");
}

#[test]
fn where_there_is_no_service_it_says_where_it_waits_for_one() {
    let page = page(Vec::new(), None);
    assert!(page.contains("none has announced itself"), "{page}");
    assert!(page.contains("redis://127.0.0.1") && page.contains("--namespace"), "{page}");
}
