//! A node as consoles elsewhere see it: its card, its goodbye, and what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use redis::ScriptInvocation;
use strata_report::{
    AskKind, EventRequest, FLEET_PROTOCOL, NodeAnswer, NodeCard, NodePresence, NodeReport,
    NodeRequest,
};
use tokio_util::sync::CancellationToken;

use super::gate::{AskCounters, AskGate};
use super::names::FleetNames;
use super::settings::{Fleet, Identity};
use super::signature::FleetKey;
use super::{form, scripts};
use crate::clock;
use crate::connection::{Bus, CallError, Link, Query, Reply, Step};
use crate::log::LogLimit;
use crate::recorder::{EventCursor, NewEvents};
use crate::user_code::BoxFuture;

/// How long a goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// What the fleet needs of the node that it shows.
pub(crate) trait FleetHost: Send + Sync {
    fn report(&self) -> NodeReport;
    /// The number of the last message of the bus that the node has acted on.
    fn acted_on(&self) -> u64;
    fn cache_names(&self) -> Vec<String>;
    /// What has happened to the keys of a request since a cursor: nothing without one.
    fn events_of(&self, request: &EventRequest, after: Option<EventCursor>) -> NewEvents;
    /// Answers one request that the policy allows, and says whether a walk ended before its time.
    fn answer(
        self: Arc<Self>,
        request: NodeRequest,
        shows_values: bool,
    ) -> BoxFuture<'static, (NodeAnswer, bool)>;
}

/// A node as consoles elsewhere see it.
pub(crate) struct Presence {
    pub(super) link: Arc<Link>,
    pub(super) names: FleetNames,
    pub(super) node: String,
    pub(super) run: String,
    pub(super) settings: Fleet,
    identity: Identity,
    started_at_ms: u64,
    pub(super) gate: AskGate,
    pub(super) counts: Arc<AskCounters>,
    pub(super) refused_told: LogLimit,
    pub(super) too_large_told: LogLimit,
    /// The card as it was last written. Held while a beat is under way, so that none comes after
    /// the goodbye.
    pub(super) written: tokio::sync::Mutex<Written>,
    /// Whether the goodbye has been said, or could not be.
    gone: CancellationToken,
}

/// What this run has written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) card: Vec<u8>,
    has_left: bool,
}

impl Written {
    pub(super) fn has_left(&self) -> bool {
        self.has_left
    }
}

impl Presence {
    pub(crate) fn new(
        link: &Arc<Link>,
        bus: &Bus,
        (node, identity): (&str, Identity),
        settings: Fleet,
    ) -> Self {
        let names = FleetNames::new(bus);
        let counts: Arc<AskCounters> = Arc::default();
        let gate = AskGate::new(bus, node, (&names, settings.signing_key()), &counts);
        Self {
            link: Arc::clone(link),
            names,
            node: node.to_owned(),
            run: format!("{:016x}", rand::random::<u64>()),
            settings,
            identity,
            started_at_ms: clock::now_ms(),
            gate,
            counts,
            refused_told: LogLimit::new(),
            too_large_told: LogLimit::new(),
            written: tokio::sync::Mutex::default(),
            gone: CancellationToken::new(),
        }
    }

    /// What asks are signed with.
    pub(crate) fn key(&self) -> Option<&FleetKey> {
        self.settings.signing_key()
    }

    /// What consoles ask of it.
    pub(crate) fn gate(&self) -> &AskGate {
        &self.gate
    }

    pub(super) fn card(&self, caches: Vec<String>, interval: Duration) -> NodeCard {
        NodeCard {
            protocol: FLEET_PROTOCOL,
            node: self.node.clone(),
            run: self.run.clone(),
            app: self.identity.app.clone(),
            version: self.identity.version.clone(),
            strata: env!("CARGO_PKG_VERSION").to_owned(),
            environment: self.identity.environment.clone(),
            host: self.identity.host.clone(),
            pid: std::process::id(),
            started_at_ms: self.started_at_ms,
            caches,
            labels: self.identity.labels.clone(),
            can: AskKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect(),
            policy: self.settings.policy(),
            signed: self.settings.signing_key().is_some(),
            interval_ms: clock::millis(interval),
        }
    }

    /// The node as a console in this process sees it.
    pub(crate) fn here(&self) -> NodePresence {
        self.card(Vec::new(), Duration::ZERO).into()
    }

    /// Says goodbye, once. Nothing of this run is written afterwards.
    pub(crate) async fn leave(&self) {
        let saying = async {
            let mut written = self.written.lock().await;
            written.has_left = true;
            let Some(card) = self.own_card().await else { return };
            let mut goodbye = scripts::GOODBYE.prepare_invoke();
            goodbye.key(self.names.nodes()).key(self.names.card(&self.node));
            goodbye.key(self.names.now(&self.node)).key(self.names.asks_of(&self.node));
            goodbye.arg(&self.node).arg(card);
            // Where Redis is away, consoles see it as lost.
            let _: Result<u64, CallError> = self.ask(&goodbye).await;
        };
        let _ = tokio::time::timeout(GOODBYE_WITHIN, saying).await;
        self.gone.cancel();
    }

    /// The card that lies there, `None` where it is of another run. Empty where there is none that
    /// can be read.
    async fn own_card(&self) -> Option<Vec<u8>> {
        let mut get = redis::cmd("GET");
        get.arg(self.names.card(&self.node));
        let get = &get;
        let reading = |mut connection| async move { get.query_async(&mut connection).await };
        let card: Result<Option<Vec<u8>>, CallError> =
            self.link.operate(Step::Fleet, reading).await;
        let card = card.ok().flatten().unwrap_or_default();
        let run = form::read::<NodeCard>(&card, form::MAX_BYTES).map(|card| card.run);
        run.map_or(true, |run| run == self.run).then_some(card)
    }

    /// Until the goodbye has been said, or could not be.
    pub(crate) async fn left(&self) {
        self.gone.cancelled().await;
    }

    /// Asks over the connection for what no read waits for.
    pub(super) async fn ask<T: Reply>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, CallError> {
        ask(&self.link, script).await
    }
}

/// Asks over the connection for what no read waits for: it can neither delay a read nor open the
/// breaker. Once more where Redis had closed it while it was idle.
pub(super) async fn ask<T: Reply>(
    link: &Link,
    script: &ScriptInvocation<'_>,
) -> Result<T, CallError> {
    let asking = |mut connection| async move { script.ask(&mut connection).await };
    match link.operate(Step::Fleet, asking).await {
        Err(CallError::Away) if !link.is_open() => link.operate(Step::Fleet, asking).await,
        answer => answer,
    }
}

/// Takes a namespace off the list of those that there are, as far as that is allowed.
pub(crate) async fn forget_namespace(link: &Link) {
    let mut forget = redis::cmd("HDEL");
    forget.arg(super::names::NAMESPACES).arg(link.bus.namespace());
    let list = super::names::NAMESPACES;
    let _: Result<u64, CallError> = link.ask_beside(list, &forget).await;
}
