//! The head of a connection's first request is read here, so that a connection on which nothing or
//! half a request has come holds next to no memory. The HTTP library takes 8 KiB to 16 KiB for each.

use std::io;
use std::time::Duration;

use httparse::{EMPTY_HEADER, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More room for what comes, in bytes.
const CHUNK: usize = 512;

/// The most headers that the HTTP library takes. It answers what has more, or is no request.
const MAX_HEADERS: usize = 100;

/// What has come on a connection once its first head is whole, or is none that could be served.
///
/// # Errors
/// Where the peer takes longer than `within`, or is gone.
pub(super) async fn first_head(
    stream: &TcpStream,
    max_bytes: usize,
    within: Duration,
) -> io::Result<Vec<u8>> {
    timeout(within, read(stream, max_bytes)).await?
}

async fn read(stream: &TcpStream, max_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        stream.readable().await?;
        bytes.reserve(CHUNK);
        match stream.try_read_buf(&mut bytes) {
            Ok(0) if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) => return Ok(bytes),
            Ok(_) if bytes.len() >= max_bytes || !is_part(&bytes) => return Ok(bytes),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether this is the beginning of a head, and not all of it.
fn is_part(bytes: &[u8]) -> bool {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    Request::new(&mut headers).parse(bytes).is_ok_and(|parsed| parsed.is_partial())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_head_is_waited_for() {
        for part in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\n", "POST /a"] {
            assert!(is_part(part.as_bytes()), "{part:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(MAX_HEADERS + 1));
        for whole_or_none in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1\n\n",
            "GET /\r\n",
            "PRI * HTTP/2.0\r\n",
            "\u{16}\u{3}\u{1}\u{2}",
            &many,
        ] {
            assert!(!is_part(whole_or_none.as_bytes()), "{whole_or_none:?}");
        }
    }
}
