use tokio::sync::{Mutex, MutexGuard};

const N_STRIPES: usize = 64;

/// Lets the writers of one row take turns from the commit until the caches know of it.
///
/// A writer that puts its value into a cache must do so in the order of the commits; otherwise the
/// older of two values may stay. This holds within one process.
#[derive(Debug)]
pub(crate) struct Turns {
    stripes: Vec<Mutex<()>>,
}

impl Turns {
    pub(crate) async fn take(&self, id: i64) -> MutexGuard<'_, ()> {
        let stripe = id.unsigned_abs() as usize % self.stripes.len();
        self.stripes[stripe].lock().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self { stripes: std::iter::repeat_with(Mutex::default).take(N_STRIPES).collect() }
    }
}
