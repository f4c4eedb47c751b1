use std::net::{IpAddr, Ipv6Addr};

use super::actor::Actor;

/// Whom a limit counts as one: a person who is known, or everybody at one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The name of a token, or of a user whom a trusted proxy names.
    Person(String),
    /// An address, or a network of IPv6 addresses.
    At(IpAddr),
}

impl Peer {
    /// Everybody at an address: an IPv4 address, or the 64 bits of an IPv6 network, since whoever has
    /// one IPv6 address has a network of them.
    pub fn at(address: IpAddr) -> Self {
        Self::At(network_of(address))
    }
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

/// The network of an address; those that are not known are one.
pub(super) fn network(address: Option<IpAddr>) -> IpAddr {
    address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network_of)
}

fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}
