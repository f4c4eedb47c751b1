//! Runs the program, for a user or for a test.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{build, tools};

const START: Duration = Duration::from_secs(60);

/// Replaces this process by the program.
pub(crate) fn demo(shell: &Shell, options: &[String]) -> Result<()> {
    redis_or_not(shell);
    build::release(shell)?;
    Err(Command::new(build::PROGRAM).arg("demo").args(options).exec().into())
}

/// Without Redis the demo runs with L1 only.
pub(crate) fn redis_or_not(shell: &Shell) {
    if let Err(error) = tools::packages(shell, &["redis-server"]) {
        eprintln!("{error:#}\nGoing on with L1 alone.");
    }
}

/// A process that is asked to end, and waited for, when it is dropped.
pub(crate) struct Running(pub(crate) Child);

/// A running `strata demo` on a free port, ended when it is dropped.
pub(crate) struct Program {
    running: Running,
    /// The address of the program.
    pub(crate) address: String,
}

impl Program {
    /// Starts it and waits until it prints its address.
    #[expect(clippy::disallowed_methods, reason = "there is no runtime that this could block")]
    pub(crate) fn start(log: &str, options: &[&str]) -> Result<Self> {
        let output = File::create(log)?;
        let child = Command::new(build::PROGRAM)
            .args(["demo", "--listen", "127.0.0.1:0"])
            .args(options)
            .stderr(output.try_clone()?)
            .stdout(output)
            .spawn()
            .context(build::PROGRAM)?;
        let mut program = Self { running: Running(child), address: String::new() };
        let began = Instant::now();
        while program.address.is_empty() {
            if began.elapsed() > START || program.running.0.try_wait()?.is_some() {
                bail!("The program did not start; see {log}.");
            }
            sleep(Duration::from_millis(100));
            program.address = address(&std::fs::read_to_string(log)?).unwrap_or_default();
        }
        Ok(program)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (shell, id) = (Shell::new(), self.0.id().to_string());
        // It may have ended by itself, which its log shows.
        let _ = shell.map(|shell| cmd!(shell, "kill {id}").quiet().run());
        let _ = self.0.wait();
    }
}

/// The first address in a log, once its whole line is there.
fn address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("http://127.0.0.1:")?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    rest.contains('\n').then(|| format!("http://127.0.0.1:{port}"))
}
