//! Builds and starts again as files change. The page in the browser notices by itself that Strata
//! was updated.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, Result};
use notify_debouncer_mini::new_debouncer;
use notify_debouncer_mini::notify::RecursiveMode;
use xshell::{Shell, cmd};

use crate::{assets, program, tools};

const PROGRAM: &str = "target/debug/strata";

/// Many files change at once when an editor saves or a branch is switched.
const QUIET: Duration = Duration::from_millis(300);

const FOLDERS: &[&str] =
    &["report", "cache", "console", "demo", "app", "server", "style", "public"];

pub(crate) fn watch(shell: &Shell, options: &[String]) -> Result<()> {
    program::redis_or_not(shell);
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    let (sender, changes) = channel();
    let mut watcher = new_debouncer(QUIET, sender)?;
    for folder in FOLDERS {
        watcher.watcher().watch(Path::new(folder), RecursiveMode::Recursive)?;
    }
    loop {
        let running = build_and_start(shell, options);
        if let Err(error) = &running {
            eprintln!("{error:#}\nWaiting for a change.");
        }
        changes.recv().context("no more changes")??;
        while changes.try_recv().is_ok() {}
    }
}

fn build_and_start(shell: &Shell, options: &[String]) -> Result<Running> {
    cmd!(shell, "cargo build --package strata-server --bin strata").run()?;
    assets::debug(shell)?;
    let child = Command::new(PROGRAM)
        .arg("demo")
        .args(options)
        .env("LEPTOS_HASH_FILES", "false")
        .env("LEPTOS_SITE_ROOT", assets::DEBUG.folder)
        .spawn()?;
    Ok(Running(child))
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(shell) = Shell::new() {
            let id = self.0.id().to_string();
            // It may have ended by itself.
            let _ = cmd!(shell, "kill {id}").quiet().run();
        }
        let _ = self.0.wait();
    }
}
