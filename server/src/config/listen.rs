use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use serde::{Deserialize, Deserializer};

/// Reads where to listen: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, a name of this machine
/// with a port, or a port of 127.0.0.1 as `3000` or `:3000`.
///
/// # Errors
/// A sentence that says what would do.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err(format!("{text} has no port; give one, such as 127.0.0.1:3000 or [::1]:3000"));
    }
    let (name, port) = text.rsplit_once(':').unwrap_or(("", text));
    let Ok(port) = port.parse::<u16>() else {
        return Err("give an address and a port, such as 127.0.0.1:3000, localhost:3000, or 3000 \
                    alone; 0.0.0.0:3000 is open to other machines"
            .to_owned());
    };
    // Not every interface: who leaves the address out may not mean to let everybody in.
    if name.is_empty() || name.eq_ignore_ascii_case("localhost") {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let found = (name, port).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| format!("{name} is no address, and no name of this machine"))
}

/// The same in a file, where a port may also stand as a number.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Port(u16),
        Text(String),
    }
    let text = match Given::deserialize(deserializer)? {
        Given::Port(port) => port.to_string(),
        Given::Text(text) => text,
    };
    listen_address(&text).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_a_name_or_a_port_alone_says_where_to_listen() {
        let loopback = "127.0.0.1:3100".parse().unwrap();
        for text in ["127.0.0.1:3100", "localhost:3100", "LocalHost:3100", ":3100", "3100"] {
            assert_eq!(listen_address(text), Ok(loopback), "{text}");
        }
        assert_eq!(listen_address("[::1]:0"), Ok("[::1]:0".parse().unwrap()));
        assert_eq!(listen_address("0.0.0.0:80"), Ok("0.0.0.0:80".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_answered_with_what_would_do() {
        for text in ["", "127.0.0.1", "::1", "localhost", "localhost:", "x:70000", "http://a:b"] {
            let said = listen_address(text).unwrap_err();
            assert!(said.contains("127.0.0.1:3000"), "{text}: {said}");
        }
        let said = listen_address("nosuch.invalid:3100").unwrap_err();
        assert!(said.contains("nosuch.invalid"), "{said}");
    }
}
