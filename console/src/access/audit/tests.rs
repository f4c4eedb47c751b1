use std::time::Duration;

use strata_report::AuditPage;
use tokio::time::advance;

use super::super::actor::Actor;
use super::action::AuditedAction;
use super::refusals::TOLD;
use super::trail::{Audit, Kind, WRITE_DEMO};

fn actor() -> Actor {
    Actor::local()
}

fn at(n: u16) -> Actor {
    let [high, low] = n.to_be_bytes();
    Actor { address: Some([192, 0, high, low].into()), ..Actor::nobody() }
}

fn targets(page: &AuditPage) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.target.as_str()).collect()
}

#[test]
fn entries_come_page_by_page_newest_first() {
    let audit = Audit::default();
    for i in 0..25 {
        let target = i.to_string();
        let audited = AuditedAction::new("invalidate_key", "users", &target);
        audit.record(&actor(), audited, "done".to_owned());
    }
    let first = audit.before(None, 10);
    assert_eq!((targets(&first)[0], targets(&first)[9]), ("24", "15"));
    let second = audit.before(first.next, 10);
    assert_eq!((targets(&second)[0], targets(&second)[9]), ("14", "5"));
    let last = audit.before(second.next, 10);
    assert_eq!((targets(&last), last.next), (vec!["4", "3", "2", "1", "0"], None));
}

#[test]
fn refusals_never_push_out_what_was_done() {
    let audit = Audit::default();
    audit.record(&actor(), AuditedAction::new("invalidate_key", "users", "42"), "done".to_owned());
    for n in 0..5_000 {
        audit.refuse(&at(n % 500), AuditedAction::new("invalidate_key", "users", "7"), "no");
    }
    let entries = audit.before(None, Kind::Done.kept()).entries;
    assert_eq!(entries.len(), Kind::Refused.kept() + 1);
    assert_eq!(entries[Kind::Refused.kept()].target, "42");
    assert!(entries[0].refused && !entries[Kind::Refused.kept()].refused);
    assert_eq!(audit.unwritten().len(), Kind::Refused.kept() + 1);
}

#[test]
fn a_flood_from_some_addresses_pushes_out_its_own_refusals_alone() {
    let audit = Audit::default();
    audit.refuse(&at(1), AuditedAction::new("log_in", "", ""), "no");
    for n in 0..1_000 {
        audit.refuse(&at(2 + n % 50), AuditedAction::new("log_in", "", ""), "no");
    }
    let entries = audit.before(None, 1_000).entries;
    assert_eq!(entries.len(), Kind::Refused.kept());
    assert_eq!(entries.last().unwrap().address, "192.0.0.1");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_to_one_peer_again_and_again_is_one_line_a_minute() {
    let audit = Audit::default();
    let refuse = |peer| audit.refuse(&at(peer), AuditedAction::new("log_in", "", ""), "no");
    let n_told = || audit.before(None, 1_000).entries.len();
    (0..1_000).for_each(|_| refuse(1));
    audit.sum_up_refusals();
    assert_eq!(n_told(), TOLD as usize, "the first are told at once, and the minute goes on");
    refuse(2);
    assert_eq!(n_told(), TOLD as usize + 1, "others are told as ever");
    advance(Duration::from_secs(60)).await;
    audit.sum_up_refusals();
    let newest = audit.before(None, 1).entries[0].clone();
    assert_eq!(newest.result, "Refused: no (980 refusals within a minute)");
    assert_eq!((newest.address.as_str(), n_told()), ("192.0.0.1", TOLD as usize + 2));
    refuse(1);
    assert_eq!(n_told(), TOLD as usize + 3, "a new minute");
    (0..30).for_each(|_| refuse(1));
    audit.sum_up_all_refusals();
    let newest = audit.before(None, 1).entries[0].clone();
    assert_eq!(newest.result, "Refused: no (11 refusals within a minute)");
}

#[tokio::test(start_paused = true)]
async fn refusals_of_more_peers_than_are_watched_lose_none() {
    let audit = Audit::default();
    for peer in 0..5_000 {
        audit.refuse(&at(peer), AuditedAction::new("log_in", "", ""), "no");
    }
    assert_eq!(audit.before(None, 1_000).entries.len(), Kind::Refused.kept());
    let newest = audit.before(None, 1).entries[0].clone();
    assert_eq!(newest.address, "192.0.19.135");
}

#[test]
fn writes_of_the_demo_push_out_nothing_that_was_done_to_a_cache() {
    let audit = Audit::default();
    audit.record(&actor(), AuditedAction::new("invalidate_key", "users", "42"), "done".to_owned());
    for _ in 0..2_000 {
        audit.record(
            &actor(),
            AuditedAction::new(WRITE_DEMO, "", "PUT /demo/users/1"),
            "done".into(),
        );
    }
    let entries = audit.before(None, 20_000).entries;
    assert_eq!(entries.len(), Kind::Demo.kept() + 1);
    assert_eq!(entries.last().unwrap().target, "42");
    assert_eq!((audit.markers(0, None).len(), audit.after(0).len()), (1, 1));
}

#[test]
fn a_beginning_is_told_and_only_the_end_is_marked() {
    let audit = Audit::default();
    audit.begin(&actor(), AuditedAction::new("invalidate_pattern", "users", "*"), "3 entries.");
    assert!(audit.before(None, 1).entries[0].result.starts_with("Begun: 3"));
    assert!(audit.markers(0, None).is_empty());
    audit.record(
        &actor(),
        AuditedAction::new("invalidate_pattern", "users", "*"),
        "Done.".to_owned(),
    );
    audit.record(&actor(), AuditedAction::new("log_in", "", ""), "Done.".to_owned());
    assert_eq!(audit.markers(0, None).len(), 1);
}

#[test]
fn what_an_earlier_run_left_comes_after_what_was_done_since() {
    let (earlier, audit) = (Audit::default(), Audit::default());
    earlier.record(&actor(), AuditedAction::new("cancel", "", "1"), "done".to_owned());
    audit.record(&actor(), AuditedAction::new("cancel", "", "2"), "done".to_owned());
    audit.remember(earlier.before(None, 10).entries);
    audit.remember(earlier.before(None, 10).entries);
    audit.record(&actor(), AuditedAction::new("cancel", "", "3"), "done".to_owned());
    let page = audit.before(None, 10);
    assert_eq!(page.entries.len(), 3);
    assert_eq!((targets(&page)[0], page.only_in_memory), ("3", 2));
    assert!(page.entries.is_sorted_by(|newer, older| newer.id >= older.id));
    audit.written(page.entries[0].id);
    assert!(audit.unwritten().is_empty());
}

#[test]
fn deeds_are_marked_and_refusals_are_not() {
    let audit = Audit::default();
    audit.refuse(&actor(), AuditedAction::new("invalidate_key", "users", "1"), "no");
    audit.record(&actor(), AuditedAction::new("invalidate_key", "users", "2"), "done".to_owned());
    audit.record(&actor(), AuditedAction::new("invalidate_key", "posts", "3"), "done".to_owned());
    let of = |cache| audit.markers(0, cache).len();
    assert_eq!((of(None), of(Some("users")), of(Some("cats"))), (2, 1, 0));
    assert!(audit.markers(u64::MAX, None).is_empty());
}

#[test]
fn a_huge_target_is_cut() {
    let audit = Audit::default();
    let target = "x".repeat(100_000);
    audit.refuse(&actor(), AuditedAction::new("a", "", &target), "no");
    assert_eq!(audit.before(None, 1).entries[0].target.len(), 512);
}
