//! Strata's cost, as ratios against the bare part in the same run. `./dev bench` runs it, and
//! `docs/benchmarks.md` explains each row. Words on the command line choose sections.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod away;
mod contest;
mod flights;
mod l1;
mod l2;
mod looking;
mod memory;
mod patterns;
mod redis_server;
mod table;
mod ticker;

use std::time::Instant;

use redis_server::RedisServer;
use table::Table;

const SECTIONS: [&str; 7] = ["l1", "l2", "away", "patterns", "flights", "looking", "memory"];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    // The kind of runtime that services use.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--entries-of", kind] => runtime.block_on(memory::fill(kind)),
        ref chosen => {
            let chosen = chosen.iter().map(|name| (*name).to_owned()).collect();
            // In a task, since services read in tasks.
            runtime.block_on(runtime.spawn(run(chosen))).expect("an end");
        }
    }
}

async fn run(chosen: Vec<String>) {
    let mut table = Table::default();
    let redis = RedisServer::start().await;
    for section in SECTIONS
        .iter()
        .filter(|name| chosen.is_empty() || chosen.iter().any(|chosen| chosen == **name))
    {
        let began = Instant::now();
        match *section {
            "l1" => l1::rows(&mut table, &redis).await,
            "l2" => l2::rows(&mut table, &redis).await,
            "away" => away::rows(&mut table).await,
            "patterns" => patterns::rows(&mut table).await,
            "flights" => flights::rows(&mut table, &redis).await,
            "looking" => looking::rows(&mut table, &redis).await,
            _ => memory::rows(&mut table),
        }
        eprintln!("{section}: {:.0} s", began.elapsed().as_secs_f64());
    }
    table.print();
}
