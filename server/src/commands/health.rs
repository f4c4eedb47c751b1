use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use strata_cache::ErrorChain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::HealthFlags;

const PATIENCE: Duration = Duration::from_secs(5);

/// Only the first line is read.
const FIRST_LINE: u64 = 256;

/// Runs `strata health`: asks the program that listens there whether it is ready.
///
/// # Errors
/// Where the settings file cannot be read, nothing answers within 5 s, or it is not ready; the error says which.
pub async fn run_health(flags: HealthFlags) -> anyhow::Result<()> {
    let listen = flags.address();
    let listen = listen.map_err(|error| anyhow!("failed to {}", ErrorChain(&error)))?;
    let address = reachable(listen);
    let asked = timeout(PATIENCE, status(address)).await;
    let line = asked.with_context(|| format!("no answer from {address} within 5 s"))??;
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => bail!("{address} is not ready: {line}"),
    }
}

async fn status(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("failed to connect to {address}"))?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(FIRST_LINE).read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

/// Who listens on all addresses is asked on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_at_home() {
        let asked = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:3000"), "127.0.0.1:3000");
        assert_eq!(asked("[::]:3000"), "[::1]:3000");
        assert_eq!(asked("10.0.0.7:80"), "10.0.0.7:80");
    }
}
