use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Anonymous requests come from so many addresses.
const SOURCES: usize = 10;

/// Addresses that searches and log-ins come from.
pub(super) const MANY_SOURCES: usize = SOURCES * 20;

async fn connect(address: &str, n: usize, n_sources: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    // Its own address, which no port of 127.0.0.1 is used up for.
    socket.bind(format!("127.0.0.{}:0", n % n_sources + 2).parse().unwrap()).unwrap();
    socket.connect(address.parse().unwrap()).await.unwrap()
}

/// Opens a stream and never reads it.
pub(super) async fn stuck_reader(address: &str, n: usize) -> TcpStream {
    let mut stream = connect(address, n, SOURCES).await;
    let asked = format!("GET /events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    stream
}

/// Begins a request that never goes on.
pub(super) async fn half_request(address: &str, n: usize) -> TcpStream {
    let mut stream = connect(address, n, SOURCES).await;
    // The program may have closed it for the sake of another.
    let _ = stream.write_all(b"GET / HTTP/1.1\r\n").await;
    stream
}

/// One search as a page, as JSON or as CSV, by turns; the answer's status.
pub(super) async fn search(address: String, n: usize) -> u16 {
    let path = match n % 3 {
        0 => "/keys?cache=users&pattern=*",
        1 => "/api/v1/caches/users/keys?pattern=*&limit=1000",
        _ => "/api/v1/caches/users/keys?pattern=*&format=csv",
    };
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    ask(&address, n, head).await
}

/// A log-in with a token that is none; the answer's status.
pub(super) async fn wrong_log_in(address: &str, n: usize) -> u16 {
    let body = format!("token=wrong{n}");
    let head = format!(
        "POST /login HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(address, n, head).await
}

async fn ask(address: &str, n: usize, request: String) -> u16 {
    let mut stream = connect(address, n, MANY_SOURCES).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head = String::from_utf8_lossy(&answer[..answer.len().min(16)]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status >= 500 {
        eprintln!("{request}\n{}", String::from_utf8_lossy(&answer));
    }
    status
}
