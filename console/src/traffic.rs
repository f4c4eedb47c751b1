use strata_report::TrafficState;

use crate::access::Actor;
use crate::console::Console;
use crate::error::ConsoleError;

// As the audit trail names it, whichever door it came through.
const ACTION: &str = "set_traffic";
const TARGET: &str = "demo";

/// Traffic that a service sends itself, and that can be steered while it runs. The service of a demo
/// has it.
pub trait TrafficControl: Send + Sync + 'static {
    /// The settings in force.
    fn state(&self) -> TrafficState;

    /// Puts new settings in force at once.
    ///
    /// # Errors
    /// Where one is out of range; then nothing changes. The text fits after "failed to".
    fn set(&self, state: TrafficState) -> Result<(), String>;
}

impl Console {
    /// The settings of the service's own traffic; `None` where it sends none.
    pub fn traffic(&self) -> Option<TrafficState> {
        self.inner.traffic.as_ref().map(|traffic| traffic.state())
    }

    /// Changes the service's own traffic while it runs, and returns the settings in force.
    ///
    /// # Errors
    /// [`ConsoleError::NoTraffic`], [`ConsoleError::BadTraffic`], and a refusal.
    pub fn set_traffic(
        &self,
        actor: &Actor,
        state: TrafficState,
    ) -> Result<TrafficState, ConsoleError> {
        let traffic = self.inner.traffic.as_ref().ok_or(ConsoleError::NoTraffic)?;
        self.authorise(actor, ACTION, TARGET)?;
        let before = traffic.state();
        traffic.set(state).map_err(ConsoleError::BadTraffic)?;
        let after = traffic.state();
        self.record(actor, ACTION, TARGET, &change(&before, &after));
        Ok(after)
    }
}

/// What a change did, for the audit trail: the settings before and after.
fn change(before: &TrafficState, after: &TrafficState) -> String {
    let told = |state: &TrafficState| {
        let TrafficState { running, rate_per_s, skew, write_share } = state;
        let runs = if *running { "running" } else { "stopped" };
        format!("{runs}, {rate_per_s} requests/s, skew {skew}, share of writes {write_share}")
    };
    format!("From {} to {}.", told(before), told(after))
}
