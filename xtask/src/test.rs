//! Tests of the running program.

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::crates::NATIVE;
use crate::program::Program;
use crate::step::step;
use crate::{build, check, examples, tools};

/// The version before trust expired by itself. During a deploy both run on one Redis for a while.
const PREVIOUS: &str = "5b3a175952f307088aecfb6a8f4613cf4c7b5899";

/// Tests that `./dev test` leaves out by default.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Length {
    Long,
}

/// Frequent and quick failures come first. Each tool is installed when it is needed.
pub(crate) fn test(shell: &Shell, length: Option<Length>) -> Result<()> {
    tools::packages(shell, &tools::PROGRAMS)?;
    tools::npm(shell)?;
    check::sources(shell)?;
    tools::nextest(shell)?;
    // First, so that the program which serves them is compiled once.
    tools::wasm_target(shell)?;
    build::debug_files(shell)?;
    step("Tests, against a real redis-server");
    // What the tests need is installed above: none of them is left out.
    cmd!(shell, "cargo nextest run {NATIVE...}").env("STRATA_TEST_ALL", "true").run()?;
    step("Tests of the cache without Redis");
    // The model of the fence takes the longest, and is the same with Redis and without.
    let but_the_fence = "not test(/fence::model/)";
    cmd!(
        shell,
        "cargo nextest run --package strata-cache --no-default-features -E {but_the_fence}"
    )
    .run()?;
    step("Tests of the cache where rustls has no provider");
    cmd!(
        shell,
        "cargo nextest run --package strata-cache --no-default-features --features tls,fleet -E test(no_provider::)"
    )
    .run()?;
    step("Examples in the documentation");
    cmd!(shell, "cargo test {NATIVE...} --doc").run()?;
    build::release(shell)?;
    check::wasm_size()?;
    interface(shell)?;
    browser(shell, &[])?;
    under_a_path(shell)?;
    take_over_of_debug_build(shell)?;
    examples::test(shell, examples::DEBUG)?;
    if length.is_some() {
        long(shell)?;
    }
    step("All is well");
    Ok(())
}

/// Browser tests on the release build.
pub(crate) fn end_to_end(shell: &Shell, options: &[String]) -> Result<()> {
    tools::packages(shell, &["redis-server", "chromium", "promtool"])?;
    tools::npm(shell)?;
    build::release(shell)?;
    browser(shell, options)
}

pub(crate) fn take_over(shell: &Shell) -> Result<()> {
    tools::packages(shell, &["redis-server", "chromium", "promtool"])?;
    tools::npm(shell)?;
    tools::wasm_target(shell)?;
    build::debug(shell)?;
    take_over_of_debug_build(shell)
}

fn take_over_of_debug_build(shell: &Shell) -> Result<()> {
    step("How a debug build takes over");
    let _debug = shell.push_env("END2END_PROGRAM", "target/debug/strata");
    browser(shell, &["take_over".to_owned()])
}

/// What depends on addresses, once more where the dashboard is not at the root of its host.
fn under_a_path(shell: &Shell) -> Result<()> {
    let _base = shell.push_env("BASE_PATH", "/a/b");
    let tests = ["navigation", "log_in", "invalidate", "live", "base_path"];
    browser(shell, &tests.map(str::to_owned))
}

fn browser(shell: &Shell, options: &[String]) -> Result<()> {
    step("Browser tests");
    let _folder = shell.push_dir("end2end");
    Ok(cmd!(shell, "playwright test {options...}").run()?)
}

/// Sends requests to every operation of the OpenAPI document, valid ones and many invalid ones.
/// There must be no server error, and no answer that the document does not describe.
fn interface(shell: &Shell) -> Result<()> {
    tools::schemathesis(shell)?;
    step("The HTTP interface against its OpenAPI document");
    let options =
        ["--users", "1000", "--nodes", "2", "--traffic", "off", "--data-dir", ".strata/api-data"];
    let program = Program::start(".strata/api.log", &options)?;
    let (tester, document) =
        (tools::SCHEMATHESIS_PROGRAM, format!("{}/api/v1/openapi.json", program.address));
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_headers_conformance,response_schema_conformance,unsupported_method";
    // The suppressed check does not concern the interface: many random texts are not valid in a
    // path.
    let suppressed = ["--suppress-health-check", "filter_too_much"];
    let extent =
        ["--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--max-time", "90"];
    let manner = ["--seed", "1", "--workers", "2", "--request-timeout", "20", "--warnings", "off"];
    cmd!(shell, "{tester} run {document} --checks {checks} {suppressed...} {extent...} {manner...} --continue-on-failure")
        .run()
        .context("The HTTP interface does not keep to its document.")
}

/// Runs tests that take long by nature.
fn long(shell: &Shell) -> Result<()> {
    step("A node of the previous version beside one of this version");
    let node = previous_node(shell)?;
    let ignored = ["--success-output", "immediate", "--run-ignored", "only"];
    let previous = "test(previous::)";
    cmd!(shell, "cargo nextest run --package strata-cache {ignored...} -E {previous}")
        .env("STRATA_PREVIOUS_NODE", node)
        .run()?;
    examples::test(shell, examples::RELEASE)?;
    step("Strangers that hold thousands of connections");
    // They run one after the other, because they measure.
    let soak = "package(strata-server) & test(soak::)";
    cmd!(shell, "cargo nextest run {NATIVE...} {ignored...} --test-threads 1 -E {soak}")
        .env("STRATA_SOAK_PROGRAM", shell.current_dir().join(build::PROGRAM))
        .run()?;
    step("A dashboard over a thousand nodes");
    let thousand = "package(strata-server) & test(thousand::a_thousand)";
    cmd!(shell, "cargo nextest run {NATIVE...} {ignored...} --test-threads 1 -E {thousand}")
        .env("STRATA_SOAK_PROGRAM", shell.current_dir().join(build::PROGRAM))
        .run()?;
    step("The bus beside a hundred asks a second");
    let lag = "test(elsewhere::lag::)";
    cmd!(shell, "cargo nextest run --package strata-cache {ignored...} -E {lag}").run()?;
    in_an_empty_root(shell)?;
    step("A storm of a million checked reads");
    let storm = "test(storm::)";
    cmd!(shell, "cargo nextest run --package strata-cache {ignored...} -E {storm}")
        .env("STRATA_STORM_READS", "1000000")
        .run()?;
    Ok(())
}

fn in_an_empty_root(shell: &Shell) -> Result<()> {
    step("The static program in an empty root");
    tools::packages(shell, &["unshare"])?;
    build::static_program(shell)?;
    let one_file = "package(strata-server) & test(one_file::)";
    let ignored = ["--success-output", "immediate", "--run-ignored", "only"];
    cmd!(shell, "cargo nextest run {NATIVE...} {ignored...} -E {one_file}")
        .env("STRATA_STATIC_PROGRAM", shell.current_dir().join(build::STATIC_PROGRAM))
        .run()?;
    Ok(())
}

/// Builds a node of the previous version from the history, and returns its program.
fn previous_node(shell: &Shell) -> Result<String> {
    let place = ".strata/previous";
    let version = format!("{place}/version");
    if shell.read_file(&version).is_ok_and(|version| version.trim() != PREVIOUS)
        || !shell.path_exists(&version)
    {
        if cmd!(shell, "git cat-file -e {PREVIOUS}").quiet().ignore_stderr().run().is_err() {
            bail!("The history lacks {PREVIOUS}, the previous version. Fetch all of it.");
        }
        shell.remove_path(place)?;
        shell.create_dir(place)?;
        let archive = format!("{place}/sources.tar");
        cmd!(shell, "git archive --output {archive} {PREVIOUS}").run()?;
        cmd!(shell, "tar --extract --file {archive} --directory {place}").run()?;
        shell.write_file(&version, PREVIOUS)?;
    }
    let node = format!("{place}/node");
    shell.create_dir(&node)?;
    cmd!(shell, "cp -r cache/tests/previous/. {node}/").run()?;
    shell.copy_file(format!("{place}/Cargo.lock"), format!("{node}/Cargo.lock"))?;
    cmd!(shell, "cargo build --manifest-path {node}/Cargo.toml").run()?;
    let program = shell.current_dir().join(node).join("target/debug/previous-node");
    Ok(program.display().to_string())
}

/// Sends random input to the parsers of stored and received data.
pub(crate) fn fuzz(shell: &Shell, seconds: u32) -> Result<()> {
    tools::fuzz(shell)?;
    let seconds = seconds.to_string();
    for target in ["pattern", "envelope"] {
        step(&format!("Random input for {target}, {seconds} s"));
        // New input is kept beside the build, so that the repository has few seeds.
        shell.create_dir(format!("target/fuzz/{target}"))?;
        let input = [format!("target/fuzz/{target}"), format!("cache/fuzz/corpus/{target}")];
        let limits = [
            format!("-max_total_time={seconds}"),
            format!("-artifact_prefix=target/fuzz/{target}-"),
        ];
        let folders = ["--fuzz-dir", "cache/fuzz", "--target-dir", "target/fuzz/build"];
        cmd!(shell, "cargo +nightly fuzz run {folders...} {target} {input...} -- {limits...} -timeout=5 -max_len=2048").run()?;
    }
    Ok(())
}
