//! The faults.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use rand::RngExt;
use strata_testing::{Direction, LINES, Line};

use super::world::{World, pause};

/// One fault, for a while, and its repair.
pub(super) async fn one(world: &World) {
    pause(300).await;
    let (fault, n) = {
        let mut rng = rand::rng();
        (rng.random_range(0..10), rng.random_range(0..world.nodes.len()))
    };
    world.faults.fetch_add(1, SeqCst);
    match fault {
        // Requests arrive, but answers do not.
        0 | 1 => held(world, n, (&[Line::L2], &[Direction::Answers])).await,
        2 => held(world, n, (&LINES, &[Direction::Requests, Direction::Answers])).await,
        3 => {
            let mut proxy = world.proxies[n].lock().await;
            proxy.cut().await;
            pause(600).await;
            proxy.restore().await;
        }
        4 => {
            world.redis.freeze();
            pause(900).await;
            world.redis.thaw();
        }
        5 => {
            let () = world.redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        }
        6 => {
            world.table.set_down(true);
            pause(1_500).await;
            world.table.set_down(false);
        }
        7 => world.node(n).crash().await,
        8 => {
            world.node(n).drop_runtime();
            pause(500).await;
            world.replace(n).await;
        }
        _ => {
            world.node(n).node.tasks().abort("flusher of rows");
        }
    }
}

async fn held(world: &World, n: usize, (lines, directions): (&[Line], &[Direction])) {
    let mut proxy = world.proxies[n].lock().await;
    proxy.hold(lines, directions).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    pause(900).await;
    proxy.restore().await;
}
