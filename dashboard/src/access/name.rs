/// A name is no longer than this.
const MAX_CHARS: usize = 64;

/// A name that others give to a person, as a page and the audit trail can show it: without control
/// characters, and cut where it is long. `None` where nothing is left of it.
pub(super) fn readable(name: &str) -> Option<String> {
    let readable = name.trim().chars().filter(|c| !c.is_control()).take(MAX_CHARS);
    Some(readable.collect::<String>()).filter(|name| !name.trim().is_empty())
}
