//! Benchmarks, screenshots and Lighthouse.

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::program::Program;
use crate::step::step;
use crate::{build, tools};

/// Version 13 requires Node.js 22.
const LIGHTHOUSE: &str = "lighthouse@12.8.2";

/// The console's benches. "page" takes ten minutes, so it runs only by name.
const CONSOLE: &[&str] = &["start", "readers", "screens", "search", "metrics", "transfer"];

/// Runs the sections. Without any, it runs all except the long one.
pub(crate) fn bench(shell: &Shell, sections: &[String]) -> Result<()> {
    let of_console = |section: &&str| *section == "page" || CONSOLE.contains(section);
    let sections = sections.iter().map(String::as_str);
    let all = sections.clone().next().is_none();
    let (mut console, mut cache): (Vec<_>, Vec<_>) = sections.partition(of_console);
    if all || cache.contains(&"console") {
        cache.retain(|section| *section != "console");
        console.splice(0..0, CONSOLE.iter().copied());
    }
    if all || !cache.is_empty() {
        tools::packages(shell, &["redis-server"])?;
        step("Benchmarks of the cache; the first build takes about 3 minutes on two cores");
        cmd!(shell, "cargo bench --package strata-cache --bench ratios -- {cache...}").run()?;
    }
    if !console.is_empty() {
        tools::packages(shell, &["redis-server", "chromium"])?;
        tools::npm(shell)?;
        build::release(shell)?;
        step(&format!("Benchmarks of the console: {}", console.join(" ")));
        let files = console.iter().map(|section| format!("{section}.bench"));
        let _folder = shell.push_dir("end2end");
        cmd!(shell, "playwright test --config bench {files...}").run()?;
    }
    Ok(())
}

/// Takes pictures of every screen.
pub(crate) fn screenshots(shell: &Shell, options: &[String]) -> Result<()> {
    tools::packages(shell, &["redis-server", "chromium", "pngquant"])?;
    tools::npm(shell)?;
    build::release(shell)?;
    step("Pictures of every screen");
    {
        let _folder = shell.push_dir("end2end");
        cmd!(shell, "playwright test --config screenshots.config.ts {options...}").run()?;
    }
    shell.create_dir("docs/screenshots")?;
    for picture in shell.read_dir("target/screenshots")? {
        let name = picture.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kept = ["-1024-light.png", "-1024-dark.png", "-360-light.png"];
        if kept.iter().any(|kind| name.ends_with(kind)) {
            // Few colours are enough for screens, and keep the repository small.
            cmd!(shell, "pngquant --force --strip 48 --output docs/screenshots/{name} {picture}")
                .run()?;
        }
    }
    Ok(())
}

/// Prints the scores of two screens.
pub(crate) fn lighthouse(shell: &Shell) -> Result<()> {
    tools::packages(shell, &["redis-server", "chromium"])?;
    build::release(shell)?;
    let options = ["--users", "2000", "--nodes", "3", "--data-dir", ".strata/lighthouse-data"];
    let program = Program::start(".strata/lighthouse.log", &options)?;
    step("Lighthouse; the first time npm fetches it");
    for page in ["/", "/caches/users"] {
        let url = format!("{}{page}", program.address);
        for form in [&["--preset=desktop"][..], &[]] {
            eprintln!(
                "{page} {}: {}",
                form.first().unwrap_or(&"on a phone"),
                median(shell, &url, form)?
            );
        }
    }
    Ok(())
}

/// The scores of the middle one of three runs by speed.
fn median(shell: &Shell, url: &str, form: &[&str]) -> Result<String> {
    let mut reports = Vec::new();
    for _ in 0..3 {
        reports.push(report(shell, url, form)?);
    }
    let score =
        |report: &Value, of: &str| report["categories"][of]["score"].as_f64().unwrap_or_default();
    reports.sort_by(|one, other| score(one, "performance").total_cmp(&score(other, "performance")));
    let report = reports.get(1).context("no report")?;
    let scores = ["performance", "accessibility", "best-practices"]
        .map(|of| format!("{of} {:.0}", score(report, of) * 100.0));
    let blocked =
        report["audits"]["total-blocking-time"]["numericValue"].as_f64().unwrap_or_default();
    Ok(format!("{}, blocked for {blocked:.0} ms", scores.join(", ")))
}

// Runs with priority over other programs if the machine allows it, since it measures times.
fn report(shell: &Shell, url: &str, form: &[&str]) -> Result<Value> {
    let may = cmd!(shell, "nice -n -20 true").quiet().ignore_stderr().read_stderr();
    let first: &[&str] =
        if may.is_ok_and(|refusal| refusal.is_empty()) { &["nice", "-n", "-20"] } else { &["env"] };
    let (path, only) =
        (".strata/lighthouse.json", "--only-categories=performance,accessibility,best-practices");
    let flags = "--chrome-flags=--headless=new --no-sandbox --disable-gpu";
    let (program, rest) = first.split_first().context("no program")?;
    cmd!(shell, "{program} {rest...} npx --yes {LIGHTHOUSE} {url} {form...} --quiet {only} --output=json --output-path={path} {flags}")
        .env("CHROME_PATH", "/usr/bin/chromium")
        .quiet()
        .run()?;
    Ok(serde_json::from_str(&shell.read_file(path)?)?)
}
