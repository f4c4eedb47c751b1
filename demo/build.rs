//! Migrations are embedded at compile time; a new file must cause a rebuild.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "cargo:rerun-if-changed=migrations")
}
