use std::collections::HashMap;
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use strata_console::{Console, PeerLimit};
use strata_prometheus::{Exposition, Family};

use super::families as f;
use super::process::ProcessState;
use super::several::Several;

/// Turns what the program is and has open into Prometheus families.
pub(crate) struct ProgramCollector {
    console: Console,
    /// Of a program that shows several consoles: what is done, is done in these.
    several: Several,
    connections: Option<Arc<PeerLimit>>,
    streams: Arc<PeerLimit>,
    descs: Vec<Desc>,
}

/// Every family, in the order in which they are written.
pub(super) static ALL: [&Family; 13] = [
    &f::BUILD_INFO,
    &f::START_TIME,
    &f::CPU,
    &f::RESIDENT,
    &f::VIRTUAL,
    &f::THREADS,
    &f::OPEN_FDS,
    &f::MAX_FDS,
    &f::CONNECTIONS,
    &f::STREAMS,
    &f::JOBS,
    &f::AUDIT_UNWRITTEN,
    &f::CONNECTIONS_MAX,
];

impl ProgramCollector {
    /// # Errors
    /// When a family's name or help is not one.
    pub(crate) fn new(
        (console, several): (Console, Several),
        connections: Option<Arc<PeerLimit>>,
        streams: Arc<PeerLimit>,
    ) -> Result<Self, prometheus::Error> {
        let desc = |family: &&Family| {
            Desc::new(family.name.into(), family.help.into(), Vec::new(), HashMap::new())
        };
        let descs = ALL.iter().map(desc).collect::<Result<_, _>>()?;
        Ok(Self { console, several, connections, streams, descs })
    }
}

impl Collector for ProgramCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut out = Exposition::default();
        out.gauge(&f::BUILD_INFO, &[("version", env!("CARGO_PKG_VERSION"))], 1);
        add_process(&mut out, &ProcessState::read());
        if let Some(connections) = &self.connections {
            out.gauge(&f::CONNECTIONS, &[], connections.n_open() as u64);
            out.gauge(&f::CONNECTIONS_MAX, &[], connections.max() as u64);
        }
        out.gauge(&f::STREAMS, &[], self.streams.n_open() as u64);
        let consoles = match self.several.get() {
            Some(several) => {
                several().into_iter().map(|one| one.numbers.console().clone()).collect()
            }
            None => vec![self.console.clone()],
        };
        let running = consoles.iter().map(|console| console.n_running_jobs() as u64).sum();
        out.gauge(&f::JOBS, &[], running);
        let unwritten = consoles.iter().map(|console| console.audit_page(None, 0).only_in_memory);
        out.gauge(&f::AUDIT_UNWRITTEN, &[], unwritten.sum());
        out.into_families()
    }
}

fn add_process(out: &mut Exposition, state: &ProcessState) {
    out.seconds(&f::CPU, &[], state.cpu_s);
    if let Some(start_time_s) = state.start_time_s {
        out.seconds(&f::START_TIME, &[], start_time_s);
    }
    let known = [
        (&f::RESIDENT, state.resident_bytes),
        (&f::VIRTUAL, state.virtual_bytes),
        (&f::THREADS, state.threads),
        (&f::OPEN_FDS, state.open_fds),
        (&f::MAX_FDS, state.max_fds),
    ];
    for (family, value) in known {
        if let Some(value) = value {
            out.gauge(family, &[], value);
        }
    }
}
