use strata_console::TrafficControl;
use strata_demo::Traffic;
use strata_report::TrafficState;

/// The demo's traffic as a console steers it.
pub(crate) struct DemoTraffic(pub(crate) Traffic);

impl TrafficControl for DemoTraffic {
    fn state(&self) -> TrafficState {
        self.0.state()
    }

    fn set(&self, state: TrafficState) -> Result<(), String> {
        self.0.set(state).map_err(|error| error.to_string())
    }
}
