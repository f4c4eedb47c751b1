use leptos::prelude::*;
use strata_report::{DeadLetterAction, DeadLetterQuery};

use super::{ApiError, context};
use crate::addresses::dead_letters_address;

/// Queues the dead letters that match again; answers the address that tells of it.
#[server(name = RedriveDeadLetters, prefix = "/api", endpoint = "strata/redrive_dead_letters")]
pub async fn redrive_dead_letters(cache: String, query: String) -> Result<String, ApiError> {
    run(DeadLetterAction::Redrive, (&cache, &read(&query)?)).await
}

/// Forgets the dead letters that match; answers the address that tells of it. `typed` is the name
/// of the cache, where they are not named one by one.
#[server(name = DropDeadLetters, prefix = "/api", endpoint = "strata/drop_dead_letters")]
pub async fn drop_dead_letters(
    cache: String,
    query: String,
    #[server(default)] typed: String,
) -> Result<String, ApiError> {
    let query = read(&query)?;
    if query.id.as_deref().is_none_or(str::is_empty) && typed.trim() != cache {
        let why = "drop dead letters: the name of the cache must be typed, exactly";
        return Err(refuse(ApiError::Invalid(why.to_owned())));
    }
    run(DeadLetterAction::Drop, (&cache, &query)).await
}

/// Stops the redrive or the drop that runs; what it did stays done.
#[server(name = StopDeadLetters, prefix = "/api", endpoint = "strata/stop_dead_letters")]
pub async fn stop_dead_letters(cache: String) -> Result<String, ApiError> {
    let console = context::console()?;
    console.cancel_dead_letter_job(&context::actor()?, &cache).map_err(context::refuse)?;
    Ok(redirect_plain_form(&cache))
}

async fn run(
    action: DeadLetterAction,
    (cache, query): (&str, &DeadLetterQuery),
) -> Result<String, ApiError> {
    let (console, actor) = (context::console()?, context::actor()?);
    console.move_dead_letters(&actor, action, (cache, query)).await.map_err(context::refuse)?;
    Ok(redirect_plain_form(cache))
}

fn read(query: &str) -> Result<DeadLetterQuery, ApiError> {
    let unreadable = |_| refuse(ApiError::Invalid("read which dead letters are meant".to_owned()));
    serde_json::from_str(query).map_err(unreadable)
}

fn refuse(error: ApiError) -> ApiError {
    context::set_status(error.status());
    error
}

/// Sends a browser without JavaScript to the page that tells of the run.
fn redirect_plain_form(cache: &str) -> String {
    let address = dead_letters_address(cache);
    if context::is_plain_form() {
        leptos_axum::redirect(&address);
    }
    address
}
