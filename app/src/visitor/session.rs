use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{Role, Session};

use crate::api::{self, CurrentSession};
use crate::live::{Live, LiveState};

/// The visitor of the page.
#[derive(Clone, Copy)]
pub(crate) struct Visitor {
    session: RwSignal<Option<Session>>,
}

impl Visitor {
    /// Starts from the session of the first HTML, and asks again once a lost server is back: it
    /// may have come back with other rules.
    pub(crate) fn provide(session: Option<Session>, live: Live) {
        let visitor = Self { session: RwSignal::new(session) };
        provide_context(visitor);
        Effect::new(move |before: Option<LiveState>| {
            let state = live.state.get();
            if before == Some(LiveState::Lost) && state == LiveState::Live {
                visitor.fetch_again();
            }
            state
        });
    }

    /// The visitor of this page.
    pub(crate) fn of_page() -> Self {
        use_context().unwrap_or_else(|| Self { session: RwSignal::new(None) })
    }

    /// Takes the session that a log-in or log-out led to.
    pub(crate) fn set(&self, session: Session) {
        self.session.set(Some(session));
    }

    /// Why acting is refused; `None` where it is allowed.
    pub(crate) fn refusal(&self) -> Signal<Option<String>> {
        let session = self.session;
        Signal::derive(move || {
            session.with(|session| match session {
                Some(session) => session.refusal.clone(),
                None => Some("Strata does not know who you are.".to_owned()),
            })
        })
    }

    /// Whether there is a token to log in with.
    pub(crate) fn can_log_in(&self) -> bool {
        self.session.with(|session| session.as_ref().is_some_and(|session| session.can_log_in))
    }

    /// What the visitor is.
    pub(crate) fn role(&self) -> Role {
        self.session.with(|session| session.as_ref().map_or(Role::Viewer, |session| session.role))
    }

    fn fetch_again(self) {
        leptos::task::spawn_local(async move {
            if let Ok(session) = api::read(api::post_id(CurrentSession::PATH, None).await) {
                self.session.try_set(Some(session));
            }
        });
    }
}
