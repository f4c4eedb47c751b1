//! What one peer may ask for, and what that leaves to others. Time is paused throughout.

use std::time::Duration;

use strata_console::{Actor, ConsoleError};
use strata_report::JobState;
use tokio::time::Instant;

use crate::support::{FakeNode, console, operator};

fn at(last: u8) -> Actor {
    Actor { address: Some([192, 0, 2, last].into()), ..Actor::nobody() }
}

fn person(name: &str) -> Actor {
    Actor { name: name.to_owned(), is_known: true, ..operator() }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_plans_costs_only_the_plans_of_whoever_makes_it() {
    let console = console(&[FakeNode::new("1")]);
    let plan = console.plan(&person("anna"), "users", "4*").await.unwrap();
    for last in 0..50 {
        for _ in 0..20 {
            console.plan(&at(last), "users", "*").await.unwrap();
        }
    }
    assert!(console.run_plan(&person("anna"), &plan.id, None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn anonymous_people_with_one_plan_each_push_out_no_plan_of_a_person_who_has_more() {
    let console = console(&[FakeNode::new("1")]);
    let anna = person("anna");
    let plans = [
        console.plan(&anna, "users", "4*").await.unwrap(),
        console.plan(&anna, "users", "5*").await.unwrap(),
    ];
    for last in 0..=u8::MAX {
        console.plan(&at(last), "users", "*").await.unwrap();
    }
    for plan in plans {
        assert!(console.run_plan(&anna, &plan.id, None).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_plan_of_a_peer_makes_room_for_its_newest() {
    let console = console(&[FakeNode::new("1")]);
    let anna = person("anna");
    let oldest = console.plan(&anna, "users", "4*").await.unwrap();
    for _ in 0..20 {
        console.plan(&anna, "users", "4*").await.unwrap();
    }
    let run = console.run_plan(&anna, &oldest.id, None).await;
    assert!(matches!(run, Err(ConsoleError::UnknownPlan(_))), "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn invalidations_that_run_are_few_for_each_person_and_others_may_still_begin() {
    let node = FakeNode::new("1");
    node.script().n_batches = 60;
    let console = console(&[node]);
    let (anna, ben) = (person("anna"), person("ben"));
    let mut last = None;
    let refused = loop {
        match console.invalidate_pattern(&anna, "users", "*").await {
            Ok(job) => last = Some(job.id),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ConsoleError::Busy { .. }), "{refused:?}");
    assert_eq!(console.n_running_jobs(), 8);
    assert!(refused.sentence().starts_with("Too many invalidations of yours"), "{refused:?}");
    assert!(console.invalidate_pattern(&ben, "users", "*").await.is_ok());
    assert!(console.invalidate_key(&anna, "users", "1").await.is_ok(), "one key is done at once");
    let ended = console.finished(last.unwrap(), Duration::from_secs(120)).await.unwrap();
    assert_eq!(ended.state, JobState::Done);
    assert!(console.invalidate_pattern(&anna, "users", "*").await.is_ok(), "what ended makes room");
}

#[tokio::test(start_paused = true)]
async fn experiments_and_uploads_are_few_for_each_person() {
    let console = console(&[FakeNode::new("1")]);
    let (anna, ben) = (person("anna"), person("ben"));
    let uploads = [(); 2].map(|()| console.begin_upload(&anna).unwrap());
    assert!(console.begin_upload(&anna).is_err());
    assert!(console.begin_upload(&ben).is_ok());
    drop(uploads);
    assert!(console.begin_upload(&anna).is_ok());
    let _runs = [(); 4].map(|()| console.begin_experiment(&anna).unwrap());
    assert!(console.begin_experiment(&anna).is_err());
    assert!(console.begin_experiment(&ben).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_did_not_come_to_its_end_says_how_far_it_came() {
    let node = FakeNode::new("1");
    node.script().l2_is_too_large = true;
    node.script().server.keys = 70_000;
    let console = console(&[node]);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    assert_eq!((plan.l2_scanned, plan.l2_keys), (Some(5_000), Some(70_000)));
}

#[tokio::test(start_paused = true)]
async fn a_walk_over_l1_that_never_ends_is_given_up() {
    let node = FakeNode::new("1");
    node.script().l1_never_ends = true;
    let console = console(&[node]);
    let plan = console.plan(&operator(), "users", "4*").await;
    assert_eq!(plan.unwrap_err(), ConsoleError::TooSlow("users".to_owned()));
    let compared = console.agreement(&operator(), "users").await;
    assert_eq!(compared.unwrap_err(), ConsoleError::TooSlow("users".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_survey_that_never_ends_costs_all_who_ask_for_it_one_walk_and_others_nothing() {
    let slow = FakeNode::new("1");
    slow.script().l1_never_ends = true;
    let sound = FakeNode::with_cache("2", "posts");
    let console = console(&[slow.clone(), sound]);
    let began = Instant::now();
    let ask = |console: strata_console::Console| async move {
        console.cache_report("users").await.map(drop)
    };
    let asked = [(); 3].map(|()| tokio::spawn(ask(console.clone())));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let later = Instant::now();
    assert!(console.cache_report("posts").await.is_ok());
    assert_eq!(later.elapsed(), Duration::ZERO);
    let too_slow = ConsoleError::TooSlow("users".to_owned());
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Err(too_slow.clone()));
    }
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    assert_eq!(ask(console).await, Err(too_slow));
    assert_eq!(began.elapsed(), Duration::from_secs(20), "it is not tried again at once");
    assert_eq!(slow.script().n_surveys, 1);
}

#[tokio::test(start_paused = true)]
async fn looks_at_one_key_are_few_for_each_anonymous_peer_and_hold_up_nobody_else() {
    let node = FakeNode::new("1");
    let console = console(std::slice::from_ref(&node));
    node.script().look_never_ends = true;
    let held: Vec<_> = (0..8)
        .map(|_| {
            let console = console.clone();
            tokio::spawn(async move { console.look(&at(1), "users", "1").await.map(drop) })
        })
        .collect();
    while node.script().n_looks < 8 {
        tokio::task::yield_now().await;
    }
    node.script().look_never_ends = false;
    let began = Instant::now();
    let refused = console.look(&at(1), "users", "1").await.unwrap_err();
    assert!(matches!(refused, ConsoleError::Busy { .. }), "{refused:?}");
    assert!(console.look(&at(2), "users", "1").await.is_ok());
    assert!(console.look(&operator(), "users", "1").await.is_ok());
    assert_eq!(began.elapsed(), Duration::ZERO);
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_comparison_whose_node_stops_answering_ends_with_what_it_has() {
    let node = FakeNode::new("1");
    node.script().l1.insert("4".to_owned(), 0);
    node.script().look_never_ends = true;
    let console = console(&[node]);
    let began = Instant::now();
    let compared = console.agreement(&operator(), "users").await.unwrap();
    assert!(compared.cut && compared.compared == 0, "{compared:?}");
    assert_eq!(began.elapsed(), Duration::from_secs(20));
}
