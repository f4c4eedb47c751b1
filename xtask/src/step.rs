use std::sync::LazyLock;
use std::time::Instant;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Prints the step that begins, and the time since the start.
pub(crate) fn step(what: &str) {
    let seconds = BEGAN.elapsed().as_secs();
    eprintln!("\n== {}:{:02}  {what}", seconds / 60, seconds % 60);
}
