//! The static program in a root that has nothing but it and an empty `/tmp`:
//! `cargo nextest run --workspace --exclude strata-browser --run-ignored only -E 'test(one_file::)'`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use strata_testing::RedisServer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::program::{address, get};
use crate::secrets::printed;
use crate::support::PATIENCE;

/// Mounts the folder `$1` upon itself, read-only but for its `/tmp`, and runs the rest in it. The
/// mounts are seen by nobody else and go away with the program.
const ENTER: &str = r#"
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t tmpfs none "$1/tmp"
cd "$1"
shift
exec chroot . "$@"
"#;

/// A root that holds the program and nothing else.
struct EmptyRoot(TempDir);

impl EmptyRoot {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("tmp")).unwrap();
        std::fs::copy(program(), root.path().join("strata")).unwrap();
        Self(root)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        let user = ["--user", "--map-root-user", "--mount"];
        command
            .args(user)
            .args(["sh", "-c", ENTER, "sh"])
            .arg(self.path())
            .arg("/strata")
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The program that `STRATA_STATIC_PROGRAM` names, as an absolute path. `./dev static` builds it.
fn program() -> PathBuf {
    std::env::var_os("STRATA_STATIC_PROGRAM").unwrap().into()
}

/// All that it wrote as an error until it was ended.
async fn ended(mut child: Child) -> String {
    child.start_kill().unwrap();
    let said = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    String::from_utf8_lossy(&said.stderr).into_owned()
}

#[tokio::test]
#[ignore = "it needs the static program"]
async fn in_an_empty_read_only_root_it_serves_whole_pages_of_services_elsewhere() {
    let redis = RedisServer::start_on_a_port(&[]).await;
    let root = EmptyRoot::new();
    let url = redis.tcp_url();
    let options = ["serve", "--namespace", "shop", "--redis-url", &url, "--listen", "127.0.0.1:0"];
    let mut child = root.command(&options).spawn().unwrap();
    let address = address(&mut child).await;
    let page = get(&address, "/s/shop/").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for kind in ["css", "js", "wasm"] {
        let file = file_of(&page, kind);
        assert_eq!(status(&address, &file).await, "HTTP/1.1 200 OK", "{file}");
    }
    let ready = get(&address, "/readyz").await;
    assert!(ready.contains(r#""services_known":1"#), "{ready}");
    let metrics = get(&address, "/metrics").await;
    assert!(metrics.contains("build_info"), "{metrics}");
    let health = root.command(&["health", "--listen", &address]).output().await.unwrap();
    assert!(health.status.success(), "{}", printed(&health));
    let doctor = root.command(&["doctor", "--redis-url", &url]).output().await.unwrap();
    assert!(doctor.status.success(), "{}", printed(&doctor));
}

/// The first line of an answer whose body need not be text.
async fn status(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

/// The first file of this kind that a page names.
fn file_of(page: &str, kind: &str) -> String {
    let mut files = page.split('"').filter(|text| text.starts_with("/pkg/"));
    files.find(|file| file.ends_with(&format!(".{kind}"))).unwrap().to_owned()
}

#[tokio::test]
#[ignore = "it needs the static program"]
async fn in_an_empty_root_the_demo_says_that_there_is_no_redis_server_and_goes_on() {
    let root = EmptyRoot::new();
    let options = ["demo", "--data-dir", "/tmp/data", "--users", "50", "--listen", "127.0.0.1:0"];
    let mut child = root.command(&options).spawn().unwrap();
    let address = address(&mut child).await;
    let user = get(&address, "/demo/users/1").await;
    assert!(user.starts_with("HTTP/1.1 200"), "{user}");
    assert!(get(&address, "/readyz").await.contains(r#""state":"off""#));
    let said = ended(child).await;
    assert!(said.contains("redis-server"), "{said}");
}

#[tokio::test]
#[ignore = "it needs the static program"]
async fn a_folder_that_cannot_be_written_is_named() {
    let root = EmptyRoot::new();
    let output = root.command(&["demo", "--listen", "127.0.0.1:0"]).output();
    let output = timeout(PATIENCE, output).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("data"), "{}", printed(&output));
}
