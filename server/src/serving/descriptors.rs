use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that connections leave to Redis, the database, files and health checks.
pub(super) const KEPT: usize = 256;

/// As many as are ever wanted.
const WANTED: u64 = 16_384;

/// Raises the limit of open descriptors as far as is allowed and sensible. The soft limit of many
/// systems is 1 024, for the sake of programs that this is none of.
pub(super) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else { return };
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if wanted > current {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "failed to raise the limit of open descriptors");
        }
    }
}

/// How many may be open.
pub(super) fn limit() -> usize {
    raise();
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |current| usize::try_from(current).unwrap_or(usize::MAX))
}
