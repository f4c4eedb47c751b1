use crate::ctx::Caller;
use crate::error::DemoError;

/// The most ids in one batch.
pub const MAX_BATCH: usize = 500;
/// The most bytes in an object's key.
pub(crate) const MAX_KEY_BYTES: usize = 1_024;
/// The most bytes in a key of a trace, of which there may be millions in memory.
pub(crate) const MAX_TRACE_KEY_BYTES: usize = 256;

const MAX_PAGE: u32 = 1_000;
const MAX_EMAIL_BYTES: usize = 254;

pub(super) fn check_id(id: i64) -> Result<(), DemoError> {
    if id > 0 { Ok(()) } else { invalid("an id is a whole number above 0") }
}

pub(super) fn check_batch(ids: &[i64]) -> Result<(), DemoError> {
    match ids.len() {
        0 => invalid("a batch needs at least one id"),
        n if n > MAX_BATCH => invalid(format!("a batch has at most {MAX_BATCH} ids, not {n}")),
        _ => ids.iter().copied().try_for_each(check_id),
    }
}

pub(super) fn check_page(page: u32) -> Result<(), DemoError> {
    if (1..=MAX_PAGE).contains(&page) {
        Ok(())
    } else {
        invalid(format!("a page is a whole number from 1 to {MAX_PAGE}"))
    }
}

pub(super) fn check_key(key: &str) -> Result<(), DemoError> {
    let fits = (1..=MAX_KEY_BYTES).contains(&key.len());
    if fits && !key.contains(char::is_control) {
        Ok(())
    } else {
        invalid(format!("a key has 1 to {MAX_KEY_BYTES} bytes and no control characters"))
    }
}

pub(super) fn check_email(email: &str) -> Result<(), DemoError> {
    let shaped =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if shaped && email.len() <= MAX_EMAIL_BYTES && !email.contains(char::is_whitespace) {
        Ok(())
    } else {
        invalid(format!("an email looks like name@host and has at most {MAX_EMAIL_BYTES} bytes"))
    }
}

/// A line or text that a person writes: `name` says which, `max` is its most bytes.
pub(super) fn check_text(name: &str, text: &str, max: usize) -> Result<(), DemoError> {
    if text.trim().is_empty() {
        return invalid(format!("{name} is empty"));
    }
    check_len(name, text, max)
}

pub(super) fn check_len(name: &str, text: &str, max: usize) -> Result<(), DemoError> {
    if text.len() > max {
        return invalid(format!("{name} has {} bytes; {max} are allowed", text.len()));
    }
    Ok(())
}

pub(super) fn check_owner(caller: Caller, owner: i64) -> Result<(), DemoError> {
    if caller.owns(owner) { Ok(()) } else { Err(DemoError::Forbidden) }
}

fn invalid(why: impl Into<String>) -> Result<(), DemoError> {
    Err(DemoError::Invalid(why.into()))
}
