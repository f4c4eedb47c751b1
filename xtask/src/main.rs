//! The commands that build, test and run Strata. `./dev` calls them.

mod assets;
mod bench;
mod build;
mod check;
mod crates;
mod docs;
mod examples;
mod program;
mod public_api;
mod step;
mod test;
mod tools;
mod watch;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xshell::Shell;

#[derive(Parser)]
#[command(bin_name = "./dev", about = "Each verb installs what it needs and this machine lacks.")]
struct Dev {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the release; start demo service, traffic and dashboard at http://127.0.0.1:3000.
    Demo {
        /// Options as in `strata demo --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Build the release: target/release/strata, with the files that it serves inside.
    Build,
    /// Build one static file that runs on any Linux: target/x86_64-unknown-linux-musl/release/strata.
    Static,
    /// Build the files that browsers get, for the next build of the program.
    Assets,
    /// `demo` with a debug build that is built and started again when files change.
    Watch {
        /// Options as in `strata demo --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Run everything: check, tests, browser tests.
    Test {
        /// "long" adds tests that take long by nature, about 30 minutes more.
        #[arg(value_enum)]
        length: Option<test::Length>,
    },
    /// Formatting, lints, docs, import rules, licences, size of the wasm.
    Check,
    /// How the browser takes over every screen, on a debug build, which reports more faults.
    TakeOver,
    /// Browser tests on the release build.
    E2e {
        /// Options of Playwright.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Pictures of every screen in both themes at three widths, in target/screenshots. The smaller
    /// ones are copied to docs/screenshots.
    Screenshots {
        /// Options of Playwright.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// What the cache and the console cost, as ratios against their bare parts, in about 10 minutes.
    Bench {
        /// Of the cache: l1 l2 away patterns flights memory looking. Of the console: console, or
        /// some of readers screens search metrics transfer; by name only, 10 minutes: page.
        sections: Vec<String>,
    },
    /// Lighthouse on two screens of the release build, the median of three runs each.
    Lighthouse,
    /// Random input for the parsers of patterns and entries. Needs rustup, for a nightly compiler.
    Fuzz {
        /// For each target.
        #[arg(default_value_t = 60)]
        seconds: u32,
    },
    /// Record the public items of the cache after an intended change.
    PublicApi,
    /// Install the missing tools that the verbs above need.
    Setup,
}

fn main() -> Result<()> {
    let verb = Dev::parse().verb;
    let shell = Shell::new().context("no working directory")?;
    tools::prepare(&shell)?;
    match verb {
        Verb::Demo { options } => program::demo(&shell, &options),
        Verb::Build => build::release(&shell),
        Verb::Static => build::static_program(&shell),
        Verb::Assets => build::files(&shell),
        Verb::Watch { options } => watch::watch(&shell, &options),
        Verb::Test { length } => test::test(&shell, length),
        Verb::Check => check::check(&shell),
        Verb::TakeOver => test::take_over(&shell),
        Verb::E2e { options } => test::end_to_end(&shell, &options),
        Verb::Screenshots { options } => bench::screenshots(&shell, &options),
        Verb::Bench { sections } => bench::bench(&shell, &sections),
        Verb::Lighthouse => bench::lighthouse(&shell),
        Verb::Fuzz { seconds } => test::fuzz(&shell, seconds),
        Verb::PublicApi => public_api::accept(&shell),
        Verb::Setup => tools::setup(&shell),
    }
}
