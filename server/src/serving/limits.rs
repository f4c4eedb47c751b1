use std::time::Duration;

use strata_console::PeerBounds;

use super::descriptors;

/// How long peers may take, and how many of them there may be.
#[derive(Clone, Debug)]
pub struct ServingLimits {
    /// From the opening of a connection, or from the answer before, to the end of a request's
    /// headers. So an idle connection ends after this as well.
    pub header_timeout: Duration,
    /// For a request's body, and a second more for each 64 KiB that have come.
    pub body_timeout: Duration,
    /// How long a peer may take nothing of what is written to it, before its connection ends.
    pub write_timeout: Duration,
    /// Connections in all. A few more are held for health checks.
    pub max_connections: usize,
    /// Connections of one address, or of one IPv6 network of 64 bits. Trusted proxies may have all.
    pub max_connections_per_peer: usize,
    /// Event streams in all.
    pub max_streams: usize,
    /// Event streams of one address, or of one IPv6 network of 64 bits.
    pub max_streams_per_peer: usize,
    /// How long requests may take to end once the program is told to stop.
    pub drain_timeout: Duration,
    /// How long the whole stop may take. Then the program ends with what is not done.
    pub stop_timeout: Duration,
}

impl ServingLimits {
    /// Connections where descriptors are no limit.
    const MOST_CONNECTIONS: usize = 4_096;
    /// Event streams where there are connections enough. Each takes about 16 KB, and a browser needs
    /// one for all its windows.
    const MOST_STREAMS: usize = 1_024;
    const MOST_STREAMS_PER_PEER: usize = 512;

    pub(crate) fn connections(&self) -> PeerBounds {
        PeerBounds { total: self.max_connections, per_peer: self.max_connections_per_peer }
    }

    pub(crate) fn streams(&self) -> PeerBounds {
        PeerBounds { total: self.max_streams, per_peer: self.max_streams_per_peer }
    }

    /// The limits for a process that may have `n_descriptors` open.
    pub fn for_descriptors(n_descriptors: usize) -> Self {
        let connections = n_descriptors.saturating_sub(descriptors::KEPT);
        let max_connections = connections.clamp(16, Self::MOST_CONNECTIONS);
        Self {
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            max_connections,
            max_connections_per_peer: max_connections / 2,
            // Some connections remain for what a stream's page asks for.
            max_streams: (max_connections * 3 / 4).min(Self::MOST_STREAMS),
            max_streams_per_peer: (max_connections * 3 / 8).min(Self::MOST_STREAMS_PER_PEER),
            drain_timeout: Duration::from_secs(5),
            stop_timeout: Duration::from_secs(20),
        }
    }
}

impl Default for ServingLimits {
    /// For as many descriptors as this process may have open.
    fn default() -> Self {
        Self::for_descriptors(descriptors::limit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_redis_and_the_database() {
        for n_descriptors in [512, 1_024, 4_096, 1_000_000] {
            let limits = ServingLimits::for_descriptors(n_descriptors);
            assert!(limits.max_connections + descriptors::KEPT <= n_descriptors);
            assert!(limits.max_streams < limits.max_connections);
            assert!(limits.max_connections_per_peer < limits.max_connections);
            assert!(limits.max_streams_per_peer < limits.max_streams);
        }
    }

    #[test]
    fn even_few_descriptors_let_somebody_in() {
        let limits = ServingLimits::for_descriptors(64);
        assert!(limits.max_streams_per_peer > 0);
    }
}
