//! Builds and starts Strata again when files change. The page in the browser notices the update by
//! itself.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use notify::{Event, RecursiveMode, Watcher};
use xshell::{Shell, cmd};

use crate::program::{self, Running};
use crate::tools;
use crate::{assets, build};

/// A copy, so that the next build does not write into the running program.
const PROGRAM: &str = "target/watch/strata";

/// Many files change at once when an editor saves or a branch is switched.
const QUIET: Duration = Duration::from_millis(300);

pub(crate) fn watch(shell: &Shell, options: &[String]) -> Result<()> {
    program::redis_or_not(shell);
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // A build opens and reads these files too.
        if event.as_ref().map_or(true, |event| !event.kind.is_access()) {
            // The receiver is gone once the loop has ended.
            let _ = sender.send(event);
        }
    })?;
    for folder in build::FOLDERS {
        watcher.watch(Path::new(folder), RecursiveMode::Recursive)?;
    }
    let mut running = None;
    loop {
        match build(shell) {
            Ok(()) => {
                // The next program listens at the same address.
                drop(running.take());
                running = Some(Running(Command::new(PROGRAM).arg("demo").args(options).spawn()?));
            }
            Err(error) => eprintln!("{error:#}\nWaiting for a change."),
        }
        changes.recv().context("no more changes")??;
        while changes.recv_timeout(QUIET).is_ok() {}
    }
}

fn build(shell: &Shell) -> Result<()> {
    assets::debug(shell)?;
    // A page tells builds apart by this, and a change may be only in the program.
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().to_string();
    let build = cmd!(shell, "cargo build --package strata-server --bin strata");
    build.env("STRATA_BUILD", now_ms).run()?;
    shell.remove_path(PROGRAM)?;
    shell.create_dir("target/watch")?;
    Ok(shell.copy_file("target/debug/strata", PROGRAM)?)
}
