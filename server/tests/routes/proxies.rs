//! The recipes of docs/security.md, run with the real proxies. Where one is not installed its tests
//! say so and prove nothing.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::program::{address, strata};
use crate::support::{PATIENCE, skipped};

const RECIPES: &str = include_str!("../../../docs/security.md");
/// Where browsers think that the dashboard is.
const NAME: &str = "dash.example";
/// A browser's address, which is no proxy's.
const BROWSER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[derive(Clone, Copy)]
struct Proxy {
    program: &'static str,
    /// How the recipe's block begins.
    block: &'static str,
    /// What the recipe listens on, and what stands there in a test.
    listens: (&'static str, &'static str),
    /// What stands around the recipe.
    around: &'static str,
    arguments: &'static [&'static str],
}

const NGINX: Proxy = Proxy {
    program: "nginx",
    block: "```nginx\n",
    listens: ("listen 443 ssl;", "listen 127.0.0.1:PORT;"),
    around: "master_process off; daemon off; pid DIR/pid; error_log stderr; events {}\nhttp { \
             access_log off; client_body_temp_path DIR/a; proxy_temp_path DIR/b; \
             fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;\nRECIPE\n}\n",
    arguments: &["-p", "DIR", "-c"],
};

const HAPROXY: Proxy = Proxy {
    program: "haproxy",
    block: "```haproxy\n",
    listens: ("bind :443 ssl crt /etc/haproxy/dash.example.pem", "bind 127.0.0.1:PORT"),
    around: "RECIPE\n",
    arguments: &["-db", "-f"],
};

const CADDY: Proxy = Proxy {
    program: "caddy",
    block: "```caddyfile\n",
    listens: ("dash.example {", "http://dash.example:PORT {"),
    around: "{\n\tadmin off\n\tauto_https off\n}\nRECIPE\n",
    arguments: &["run", "--adapter", "caddyfile", "--config"],
};

impl Proxy {
    fn recipe(&self) -> String {
        let (_, after) = RECIPES.split_once(self.block).unwrap();
        let (recipe, _) = after.split_once("\n```").unwrap();
        // Certificates are the only part that a test leaves out.
        let lines = recipe.lines().filter(|line| !line.trim_start().starts_with("ssl_certificate"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Runs it with this configuration before `strata`; `None` where it is not installed.
    async fn run(&self, dir: &Path, recipe: &str, strata: &str) -> Option<(Child, u16)> {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let (from, to) = self.listens;
        assert!(recipe.contains(from), "{recipe}");
        let text = self.around.replace("RECIPE", recipe).replace(from, to);
        let text = text.replace("127.0.0.1:3000", strata).replace("PORT", &port.to_string());
        let (file, here) = (dir.join("proxy.conf"), dir.to_str().unwrap());
        fs::write(&file, text.replace("DIR", here)).unwrap();
        let child = Command::new(self.program)
            .args(self.arguments.iter().map(|argument| argument.replace("DIR", here)))
            .arg(&file)
            .env("HOME", dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn();
        let Ok(child) = child else {
            let needed = "(apt-get install nginx haproxy caddy)";
            skipped(&format!("{} is not installed {needed}", self.program));
            return None;
        };
        let reached = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap();
        Some((child, port))
    }
}

/// Sends a request from the browser's address, and reads until `end` or the end.
async fn ask(port: u16, request: &str, end: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((BROWSER, 0).into()).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        let mut buffer = [0; 4_096];
        loop {
            let n = stream.read(&mut buffer).await.unwrap();
            answer.extend_from_slice(&buffer[..n]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            if n == 0 || (!end.is_empty() && text.contains(end)) {
                return text;
            }
        }
    };
    timeout(PATIENCE, read).await.unwrap()
}

fn delete(port: u16, more: &str) -> String {
    let path = "/api/v1/caches/users/keys/1";
    format!("DELETE {path} HTTP/1.1\r\nhost: {NAME}:{port}\r\nconnection: close\r\n{more}\r\n")
}

fn get(port: u16, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {NAME}:{port}\r\nconnection: close\r\n\r\n")
}

/// By the recipe a page at the public name may act, is known by its own address, and sees the
/// numbers move.
async fn the_recipe_works(proxy: Proxy) {
    let dir = tempfile::tempdir().unwrap();
    let options =
        ["--operator-token", "anna:sesame", "--trusted-proxy", "127.0.0.1", "--allowed-host", NAME];
    let mut program = strata(dir.path(), &options).spawn().unwrap();
    let strata = address(&mut program).await;
    let Some((_proxy, port)) = proxy.run(dir.path(), &proxy.recipe(), &strata).await else {
        return;
    };
    let origin = format!("origin: http://{NAME}:{port}\r\n");
    let anonymous = ask(port, &delete(port, &origin), "").await;
    assert!(anonymous.contains(" 403 ") && anonymous.contains("Log in"), "{anonymous}");
    let by_token = format!("{origin}authorization: Bearer sesame\r\n");
    let done = ask(port, &delete(port, &by_token), "").await;
    assert!(done.contains(" 200 "), "{done}");
    let forged = format!("{by_token}x-forwarded-for: 203.0.113.9\r\n");
    let done = ask(port, &delete(port, &forged), "").await;
    assert!(done.contains(" 200 "), "{done}");
    let trail = ask(port, &get(port, "/api/v1/audit"), "").await;
    assert!(trail.contains("\"address\":\"127.0.0.9\""), "{trail}");
    assert!(!trail.contains("203.0.113.9"), "{trail}");
    let live = ask(port, &get(port, "/events"), "event: frame").await;
    assert!(live.contains("event: frame"), "{live}");
}

#[tokio::test]
async fn the_recipe_for_nginx_works() {
    the_recipe_works(NGINX).await;
}

#[tokio::test]
async fn the_recipe_for_haproxy_works() {
    the_recipe_works(HAPROXY).await;
}

#[tokio::test]
async fn the_recipe_for_caddy_works() {
    the_recipe_works(CADDY).await;
}

/// Under a path: a page that is asked for there holds addresses there alone, its files and its
/// numbers arrive, and a log-in stays there.
async fn it_works_under_a_path(proxy: Proxy, recipe: &str) {
    let dir = tempfile::tempdir().unwrap();
    let options = [
        "--base-path",
        "/cache",
        "--operator-token",
        "anna:sesame",
        "--trusted-proxy",
        "127.0.0.1",
        "--allowed-host",
        NAME,
    ];
    let mut program = strata(dir.path(), &options).spawn().unwrap();
    let strata = address(&mut program).await;
    let strata = strata.trim_end_matches("/cache");
    let Some((_proxy, port)) = proxy.run(dir.path(), recipe, strata).await else { return };
    let page = ask(port, &get(port, "/cache/keys"), "").await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("href=\"/cache/nodes\"") && !page.contains("href=\"/nodes\""), "{page}");
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = ask(port, &get(port, script), "").await;
    assert!(script.starts_with("HTTP/1.1 200"), "{script}");
    let mut first = ask(port, &get(port, "/cache"), "").await;
    if first.contains(" 301 ") || first.contains(" 302 ") {
        first = ask(port, &get(port, "/cache/"), "").await;
    }
    assert!(first.contains("<h1 class=\"unseen\">Overview</h1>"), "{first}");
    let of_strata = "\r\ncontent-security-policy: ";
    assert!(first.to_lowercase().contains(of_strata), "{first}");
    let neighbour = ask(port, &get(port, "/cachebuster"), "").await;
    assert!(!neighbour.to_lowercase().contains(of_strata), "{neighbour}");
    let live = ask(port, &get(port, "/cache/events"), "event: frame").await;
    assert!(live.contains("event: frame"), "{live}");
    let form = "token=sesame&to=%2Fcache%2Fkeys";
    let sent = format!(
        "POST /cache/login HTTP/1.1\r\nhost: {NAME}:{port}\r\norigin: http://{NAME}:{port}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{form}",
        form.len()
    );
    let entered = ask(port, &sent, "").await.to_lowercase();
    assert!(entered.contains("location: /cache/keys\r\n"), "{entered}");
    assert!(entered.contains("; path=/cache"), "{entered}");
}

/// A cell of the table of recipes under a path.
fn cell(text: &str) -> &str {
    let documented = text.replace("||", "\\|\\|");
    assert!(RECIPES.contains(&format!("`{documented}`")), "{documented}");
    text
}

#[tokio::test]
async fn under_a_path_nginx_may_strip_it_or_not() {
    let recipe = NGINX.recipe();
    let left = recipe.replace(cell("location / {"), cell("location /cache/ {"));
    it_works_under_a_path(NGINX, &left).await;
    let stripped = recipe.replace("location / {", cell("location /cache/ {")).replace(
        cell("proxy_pass http://127.0.0.1:3000;"),
        cell("proxy_pass http://127.0.0.1:3000/;"),
    );
    it_works_under_a_path(NGINX, &stripped).await;
}

#[tokio::test]
async fn under_a_path_haproxy_may_strip_it_or_not() {
    let left = HAPROXY.recipe().replace(
        cell("default_backend strata"),
        cell("use_backend strata if { path /cache } || { path_beg /cache/ }"),
    );
    it_works_under_a_path(HAPROXY, &left).await;
    let strip = cell("http-request replace-path /cache/?(.*) /\\1");
    let stripped = left.replace("backend strata\n", &format!("backend strata\n    {strip}\n"));
    it_works_under_a_path(HAPROXY, &stripped).await;
}

#[tokio::test]
async fn under_a_path_caddy_may_strip_it_or_not() {
    let blocks = RECIPES.split(CADDY.block).skip(2).map(|rest| rest.split("\n```").next().unwrap());
    let blocks: Vec<_> = blocks.collect();
    assert_eq!(blocks.len(), 2);
    for recipe in blocks {
        it_works_under_a_path(CADDY, recipe).await;
    }
}

#[tokio::test]
async fn behind_a_proxy_that_says_nothing_of_itself_nobody_is_local() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = strata(dir.path(), &[]).spawn().unwrap();
    let strata = address(&mut program).await;
    let bare = "server { listen 443 ssl; location / { proxy_pass http://127.0.0.1:3000; } }";
    let Some((_proxy, port)) = NGINX.run(dir.path(), bare, &strata).await else { return };
    let refused = ask(port, &delete(port, ""), "").await;
    assert!(refused.contains(" 403 ") && refused.contains("--operator-token"), "{refused}");
    let page = ask(port, &delete(port, &format!("origin: http://{NAME}:{port}\r\n")), "").await;
    assert!(page.contains("must pass the Host header on"), "{page}");
}
