use std::io::{self, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use anyhow::anyhow;
use clap::Parser;
use mimalloc::MiMalloc;
use strata_cache::ErrorChain;
use strata_cache::doctor::Verdict;
use strata_server::{
    Cli, Command, ServeSettings, Settings, announce, completions, log_to_stderr, man_page,
    run_demo, run_demo_node, run_doctor, run_health, run_purge, run_serve, settings_file,
    tell_unknown_variables,
};

// It gives memory back that thousands of connections have taken, and is the same for each system: the
// allocator of musl is slow, and that of glibc keeps much.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

// Rendering and streams share the workers, so one core alone must not mean one worker.
const MIN_WORKERS: usize = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = log_to_stderr(cli.log_format);
    tell_unknown_variables();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            log.last(&format!("strata: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(Cli { command, .. }: Cli) -> anyhow::Result<ExitCode> {
    let workers = thread::available_parallelism().map_or(MIN_WORKERS, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(MIN_WORKERS))
        .enable_all()
        .build()?;
    match command {
        Command::Demo(flags) => {
            let settings = settings_file(flags.config.as_deref())
                .and_then(|file| Settings::resolve(*flags, &file))
                .map_err(|error| anyhow!("failed to {}", ErrorChain(&error)))?;
            runtime.block_on(run_demo(settings))?;
        }
        Command::Serve(flags) => {
            let settings = settings_file(flags.config.as_deref())
                .and_then(|file| ServeSettings::resolve(*flags, &file))
                .map_err(|error| anyhow!("failed to {}", ErrorChain(&error)))?;
            runtime.block_on(run_serve(settings))?;
        }
        Command::DemoNode(flags) => runtime.block_on(run_demo_node(flags))?,
        Command::Doctor(flags) => {
            let (text, verdict) = runtime.block_on(run_doctor(flags))?;
            print(text.as_bytes());
            if verdict == Verdict::Fails {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Health(flags) => runtime.block_on(run_health(flags))?,
        Command::Purge(flags) => {
            let erased = runtime.block_on(run_purge(flags))?;
            announce(&format!("{erased} keys were removed."));
        }
        Command::Completions { shell } => print(&completions(shell)),
        Command::Man => print(&man_page()?),
    }
    Ok(ExitCode::SUCCESS)
}

// Whoever closes the pipe wants no more.
fn print(text: &[u8]) {
    let mut out = io::stdout().lock();
    let _: io::Result<()> = out.write_all(text).and_then(|()| out.flush());
}
