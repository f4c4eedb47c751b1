use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use strata_cache::LogLimit;
use strata_console::{Peer, PeerLimit};
use strata_dashboard::program::{self, Network, Placement};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::ServingLimits;
use super::connection::{Admission, Connection};
use super::reserve::Reserve;

/// With each connection.
static DELAYED: LogLimit = LogLimit::new();
static NOT_ACCEPTED: LogLimit = LogLimit::new();
static FULL: LogLimit = LogLimit::new();

/// Accepts connections within the limits.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(super) limits: ServingLimits,
    /// Proxies, behind which are many.
    trusted: Arc<[Network]>,
    connections: Arc<PeerLimit>,
    reserve: Reserve,
    /// Connections that are open now have had their time.
    pub(super) drained: CancellationToken,
}

impl Serving {
    /// The wait before the next try, where nothing can be accepted, as for want of descriptors.
    const PAUSE: Duration = Duration::from_millis(100);

    pub(crate) fn new(limits: ServingLimits, trusted: &[Network]) -> Arc<Self> {
        let connections = PeerLimit::new(limits.connections());
        let (reserve, drained) = (Reserve::default(), CancellationToken::new());
        Arc::new(Self { limits, trusted: trusted.into(), connections, reserve, drained })
    }

    /// The connections that are open, but for those of the reserve.
    pub(crate) fn connections(&self) -> &Arc<PeerLimit> {
        &self.connections
    }

    /// Serves every connection until `shutdown`, and lets begun requests end. Meanwhile health
    /// checks go on being answered.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        router: Router,
        shutdown: CancellationToken,
    ) {
        let accepting = async {
            loop {
                let (stream, peer) = accept(&listener).await;
                self.begin(stream, peer, &router, &shutdown);
            }
        };
        let draining = async {
            shutdown.cancelled().await;
            let emptied = timeout(self.limits.drain_timeout, self.connections.emptied());
            if emptied.await.is_err() {
                let connections = self.connections.n_open();
                warn!(connections, "some requests did not end in time");
            }
        };
        tokio::select! {
            () = accepting => {}
            () = draining => {}
        }
        self.drained.cancel();
    }

    fn begin(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        router: &Router,
        shutdown: &CancellationToken,
    ) {
        if let Err(error) = stream.set_nodelay(true)
            && let Some(times) = DELAYED.due()
        {
            warn!(%error, times, "failed to switch off the delay of small answers");
        }
        let placement = Placement::default();
        let connection = Connection {
            serving: Arc::clone(self),
            router: router.clone(),
            peer,
            admission: self.admit(peer, shutdown),
            is_used: AtomicBool::new(false),
            placement: placement.clone(),
        };
        program::spawn(connection.run(stream, shutdown.clone()), placement);
    }

    fn admit(&self, peer: SocketAddr, shutdown: &CancellationToken) -> Admission {
        if shutdown.is_cancelled() {
            return Admission::Reserve(self.reserve.enter());
        }
        let address = peer.ip().to_canonical();
        let is_proxy = self.trusted.iter().any(|network| network.contains(address));
        match self.connections.open((!is_proxy).then(|| Peer::at(address))) {
            Ok(permit) => Admission::Regular { _permit: permit },
            Err(full) => {
                if let Some(times) = FULL.due() {
                    warn!(%peer, ?full, times, "too many connections; only health checks are answered");
                }
                Admission::Reserve(self.reserve.enter())
            }
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                if let Some(times) = NOT_ACCEPTED.due() {
                    warn!(%error, times, "failed to accept a connection");
                }
                sleep(Serving::PAUSE).await;
            }
        }
    }
}

/// Whether the connection was gone before it was accepted.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
