use std::net::{IpAddr, Ipv6Addr};

use super::actor::Actor;

/// Whom a limit counts as one: a person who is known, or everybody at one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// The name of a token, or of a user whom a trusted proxy names.
    Person(String),
    /// An address, or a network of IPv6 addresses.
    At(IpAddr),
}

impl Actor {
    /// Whom limits count this actor as.
    pub(crate) fn peer(&self) -> Peer {
        match self.is_known {
            true => Peer::Person(self.name.clone()),
            false => Peer::At(network(self.address)),
        }
    }
}

/// Whoever has one IPv6 address has a network of them.
pub(super) fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
