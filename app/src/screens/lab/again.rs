use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::lesson::{Seen, SeenRun};
use super::{controls, predict};
use crate::api::StartRun;
use crate::screens::sheet::titled;

/// Runs the lesson once more, with what was predicted, and perhaps with other settings.
pub(super) fn card(seen: &Seen, run: &SeenRun) -> AnyView {
    let guess = run.guess.map(|guess| {
        view! { <input type="hidden" name="wish[guess]" value=guess.to_string() /> }
    });
    titled(
        "again",
        "Run it again",
        "change something, and see what follows",
        view! {
            <form action=StartRun::PATH method="post" data-testid="run-again">
                {predict::hidden(seen)}
                {guess}
                {controls::fields(seen)}
                {predict::buttons(seen, "Run again")}
            </form>
        },
    )
}
