//! The demo's nodes as processes of their own.

use serde_json::Value;

use tokio::time::timeout;

use super::{Dashboard, row, until};
use crate::private_redis::{is_alive, kill};
use crate::program::{address, redis_pid, strata};
use crate::support::PATIENCE;

fn pid(rows: &Value, node: &str) -> u32 {
    let pid = row(rows, node)["presence"]["pid"].as_u64().unwrap();
    pid.try_into().unwrap()
}

#[tokio::test]
async fn a_killed_process_of_the_demo_is_lost_started_again_and_all_end_with_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &["--processes", "2"]).spawn().unwrap();
    let address = address(&mut child).await;
    let demo = Dashboard { address, base: "", child };
    demo.until_counted(2, 2).await;
    let before = demo.rows().await;
    let names: Vec<_> =
        before["nodes"].as_array().unwrap().iter().map(|row| &row["node"]).collect();
    assert_eq!(names, ["1", "2"], "the program's own node is not among them");
    kill("-KILL", pid(&before, "2"));
    let state = async |state: &str| row(&demo.rows().await, "2")["presence"]["state"] == state;
    until("it is lost", async || state("lost").await).await;
    // What it says of itself is read a little later than its first report.
    let is_another = async || pid(&demo.rows().await, "2") != pid(&before, "2");
    until("it is started again", async || state("up").await && is_another().await).await;
    let after = demo.rows().await;
    assert_ne!(row(&after, "2")["presence"]["run"], row(&before, "2")["presence"]["run"]);
    let pids = ["1", "2"].map(|node| pid(&after, node));
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    drop(demo);
    until("they end with the program", async || pids.iter().all(|pid| !is_alive(*pid))).await;
}

#[tokio::test]
async fn told_to_stop_the_demo_waits_for_its_processes_and_then_ends_its_redis() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &["--processes", "2"]).spawn().unwrap();
    let address = address(&mut child).await;
    let redis = redis_pid(&address).await;
    let mut demo = Dashboard { address, base: "", child };
    demo.until_counted(2, 2).await;
    let rows = demo.rows().await;
    let pids = ["1", "2"].map(|node| pid(&rows, node));
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    kill("-TERM", demo.child.id().unwrap());
    let status = timeout(PATIENCE, demo.child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "they have ended before the program");
    assert!(!is_alive(redis));
}
