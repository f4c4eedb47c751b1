//! On whose behalf nodes elsewhere are asked: they write down a name with each request.

use std::sync::Arc;

tokio::task_local! {
    static ASKED_BY: Arc<str>;
}

/// What the console asks by itself.
const CONSOLE: &str = "console";

/// Does some work on behalf of somebody: whatever it asks of nodes carries this name.
pub(crate) fn on_behalf_of<F: Future>(
    name: &str,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    ASKED_BY.scope(name.into(), work)
}

/// On whose behalf the current work is done.
pub(in crate::nodes) fn asked_by() -> Arc<str> {
    ASKED_BY.try_with(Arc::clone).unwrap_or_else(|_| CONSOLE.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_asked_for_the_console_asks_itself() {
        assert_eq!(&*on_behalf_of("anna", async { asked_by() }).await, "anna");
        assert_eq!(&*asked_by(), CONSOLE);
    }
}
