use tokio::sync::{Mutex, MutexGuard};

const N_STRIPES: usize = 64;

/// Locks by row: one writer of a row at a time, from its commit until the caches have the change.
///
/// A writer that puts its value into a cache must do so in the order of the commits; otherwise the
/// older of two values may stay. This holds within one process.
#[derive(Debug)]
pub(crate) struct RowLocks {
    stripes: Vec<Mutex<()>>,
}

impl RowLocks {
    pub(crate) async fn lock(&self, id: i64) -> MutexGuard<'_, ()> {
        let stripe = id.unsigned_abs() as usize % self.stripes.len();
        self.stripes[stripe].lock().await
    }
}

impl Default for RowLocks {
    fn default() -> Self {
        Self { stripes: std::iter::repeat_with(Mutex::default).take(N_STRIPES).collect() }
    }
}
