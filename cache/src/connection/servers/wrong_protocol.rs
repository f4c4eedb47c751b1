//! A port that speaks TLS where plain Redis was expected, or the reverse, answers nothing that can
//! be understood. It is then asked in the other language.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::RedisError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::address::{Encryption, Server};
use crate::connection::answer::ErrorReply;

/// A server is asked no more often.
const ASKED_AGAIN: Duration = Duration::from_secs(10);

const WITHIN: Duration = Duration::from_millis(250);

/// The beginning of a handshake: TLS 1.2, no session, one cipher, no compression.
const CLIENT_HELLO: &[u8] = &[
    0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0xc0, 0x2f, 1, 0, 0, 0,
];

/// The first bytes of answers in TLS: a handshake, an alert.
const OF_TLS: [u8; 2] = [0x16, 0x15];

/// What a server was last found to speak.
#[derive(Default)]
pub(in crate::connection) struct WrongProtocol {
    last: Mutex<Option<(Instant, Server, bool)>>,
}

impl WrongProtocol {
    /// Says so where the server speaks the other language. `error` is how connecting failed.
    pub(in crate::connection) async fn explain(
        &self,
        error: &RedisError,
        server: &Server,
        encryption: Encryption,
    ) -> Option<RedisError> {
        let reply = ErrorReply::read(error);
        let is_silence = reply.is_disconnect() || reply.code == "TIMEOUT";
        if !is_silence || error.is_connection_refusal() {
            return None;
        }
        if !self.has_wrong_protocol(server, encryption).await {
            return None;
        }
        let said = match encryption {
            Encryption::Plain => {
                "the port speaks TLS: give a rediss:// address, or the server's plain port"
            }
            Encryption::Tls => {
                "the port does not speak TLS: give a redis:// address, or the server's TLS port"
            }
        };
        Some(ErrorReply::refusal("TLS", said.to_owned()))
    }

    async fn has_wrong_protocol(&self, server: &Server, encryption: Encryption) -> bool {
        if let Some((at, of, speaks)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < ASKED_AGAIN
            && of == server
        {
            return *speaks;
        }
        let speaks = timeout(WITHIN, ask(server, encryption)).await.unwrap_or(false);
        let found = (Instant::now(), server.clone(), speaks);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        speaks
    }
}

async fn ask(server: &Server, encryption: Encryption) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        stream
            .write_all(match encryption {
                Encryption::Plain => CLIENT_HELLO,
                Encryption::Tls => b"PING\r\n",
            })
            .await?;
        stream.read_u8().await
    };
    match (encryption, asking.await) {
        (Encryption::Plain, Ok(first)) => OF_TLS.contains(&first),
        (Encryption::Tls, Ok(first)) => first == b'+' || first == b'-',
        (_, Err(_)) => false,
    }
}
