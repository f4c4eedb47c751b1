use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use anyhow::anyhow;
use clap::Parser;
use strata_cache::ErrorChain;
use strata_server::{Cli, Command, Settings, log_to_stderr, run_demo};

// Rendering and streams share the workers, so one core alone must not mean one worker.
const MIN_WORKERS: usize = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = log_to_stderr();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.last(&format!("strata: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(Cli { command: Command::Demo(flags) }: Cli) -> anyhow::Result<()> {
    let settings = Settings::resolve(*flags, "Leptos.toml".as_ref())
        .map_err(|error| anyhow!("failed to {}", ErrorChain(&error)))?;
    let workers = thread::available_parallelism().map_or(MIN_WORKERS, NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(MIN_WORKERS))
        .enable_all()
        .build()?
        .block_on(run_demo(settings))
}
