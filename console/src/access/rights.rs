use std::time::Duration;

use strata_report::Session;

use super::actor::{Actor, Origin, RejectedCredential, Rights};
use super::sessions::Sessions;
use super::throttle::Throttle;
use super::token::Token;

/// Who may what. Rights come from a token, from the session that a token began, or, where no token
/// is configured, from being on the same machine.
pub struct Access {
    pub(super) settings: AccessSettings,
    sessions: Sessions,
    wrong_log_ins: Throttle,
    wrong_tokens: Throttle,
}

/// What an [`Access`] is made from.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    /// Who presents one of these may look, read values and act.
    pub operators: Vec<Token>,
    /// Who presents one of these may look. Where there are any, nobody else may even look.
    pub viewers: Vec<Token>,
    /// Nobody may act.
    pub read_only: bool,
    /// Whoever may look may read values too.
    pub open_values: bool,
    /// Without any token, whoever asks from this machine may do everything.
    pub loopback: bool,
    /// Without any token nobody acts, whoever asks and from wherever: the data are a service's.
    pub acting_needs_token: bool,
    /// Where an application around the dashboard decides who may what: what somebody who may not act
    /// is told. Then no request has rights but those that the application gives.
    pub told_by_application: Option<&'static str>,
}

/// What a request presents.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// A token.
    pub token: Option<&'a str>,
    /// The id of a session.
    pub session: Option<&'a str>,
}

/// Somebody who has logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// The id of the session, which the browser presents from now on.
    pub session: String,
    /// Who it is.
    pub actor: Actor,
}

/// Why somebody was not let in, as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogInError {
    /// The token is none of ours.
    #[error("This is not a token of this Strata. It is one that Strata was started with.")]
    WrongToken,
    /// There is none.
    #[error("Strata was started without tokens, so nobody can log in; --operator-token sets one.")]
    NoTokens,
    /// It was wrong too often.
    #[error("Too many wrong tokens came from your address. Try again in {} s.", .0.as_secs() + 1)]
    TooOften(Duration),
}

/// Which token it is: its place among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenRef {
    Operator(usize),
    Viewer(usize),
}

const READ_ONLY: &str = "Strata was started with --read-only, so nothing can be changed.";
const EXPOSED: &str = "Strata is read-only, because other machines can reach it and no operator token is set. \
     Start it with --operator-token to allow changes.";
const NOT_LOCAL: &str = "Strata is read-only here, because this request did not come straight from a browser or \
     program on its own machine, and no operator token is set. Start it with --operator-token to allow changes.";
const ENDED: &str = "Your session has ended: Strata was started again, somebody logged it out, or it was too old. \
     Log in again.";
const WRONG: &str =
    "The token that you logged in with is not, or no longer, the operator's. Log in again.";
const LOG_IN: &str = "Only an operator may change something. Log in with the operator token.";
const NO_OPERATOR: &str = "Nobody may change anything, because no operator token is set. Start Strata with --operator-token.";

impl Access {
    /// Decides from the settings who may what.
    pub fn new(settings: AccessSettings) -> Self {
        Self {
            settings,
            sessions: Sessions::default(),
            wrong_log_ins: Throttle::new(10, Duration::from_secs(6)),
            wrong_tokens: Throttle::new(60, Duration::from_secs(1)),
        }
    }

    /// Who asks. A token counts before a session, and either before the place it came from.
    pub fn identify(&self, presented: Credentials<'_>, origin: &Origin) -> Actor {
        let token_ref = match (presented.token, presented.session) {
            (Some(token), _) => self.find_token(token).ok_or(Some(RejectedCredential::Token)),
            (None, Some(id)) => self.sessions.token(id).ok_or(Some(RejectedCredential::Session)),
            (None, None) => Err(None),
        };
        match token_ref {
            Ok(token_ref) => self.actor_with(token_ref, origin),
            Err(rejected) => self.without_token(rejected, origin),
        }
    }

    /// Whether a session goes on, for what was begun in it and lasts. Asking is not using it.
    pub fn goes_on(&self, session: &str) -> bool {
        self.sessions.goes_on(session)
    }

    /// Begins a session for whoever presents one of the tokens. Wrong ones are few for each
    /// address: ten, and one more every six seconds.
    ///
    /// # Errors
    /// See [`LogInError`].
    pub(crate) fn log_in(&self, token: &str, origin: &Origin) -> Result<LoggedIn, LogInError> {
        if !self.has_tokens() {
            return Err(LogInError::NoTokens);
        }
        if let Some(wait) = self.wrong_log_ins.wait(origin.address) {
            return Err(LogInError::TooOften(wait));
        }
        let Some(token_ref) = self.find_token(token.trim()) else {
            self.wrong_log_ins.count(origin.address);
            return Err(LogInError::WrongToken);
        };
        let session = self.sessions.begin(token_ref);
        Ok(LoggedIn { session, actor: self.actor_with(token_ref, origin) })
    }

    /// Ends a session; whether there was one.
    pub(crate) fn log_out(&self, session: &str) -> bool {
        self.sessions.end(session).is_some()
    }

    /// Ends every session that was begun with the same token; how many.
    pub(crate) fn log_out_everywhere(&self, session: &str) -> usize {
        let token_ref = self.sessions.token(session);
        token_ref.map_or(0, |token_ref| self.sessions.end_all(token_ref))
    }

    /// Counts a token that came with a request and is none of ours.
    pub fn count_wrong_token(&self, origin: &Origin) {
        if self.has_tokens() {
            self.wrong_tokens.count(origin.address);
        }
    }

    /// How long an address that sent too many wrong tokens has to wait until one is looked at.
    pub fn wait_for_token(&self, origin: &Origin) -> Option<Duration> {
        self.wrong_tokens.wait(origin.address)
    }

    /// Whether there is anything to log in with.
    pub fn has_tokens(&self) -> bool {
        !self.settings.operators.is_empty() || !self.settings.viewers.is_empty()
    }

    /// Why the actor may not act, as a sentence; `None` where they may.
    pub fn refusal(&self, actor: &Actor) -> Option<&'static str> {
        if self.settings.read_only {
            return Some(self.settings.told_by_application.unwrap_or(READ_ONLY));
        }
        if actor.rights.act {
            return None;
        }
        if self.settings.told_by_application.is_some() {
            return self.settings.told_by_application;
        }
        Some(match (self.has_tokens(), actor.rejected) {
            (true, _) if self.settings.operators.is_empty() => NO_OPERATOR,
            (true, Some(RejectedCredential::Token)) => WRONG,
            (true, Some(RejectedCredential::Session)) => ENDED,
            (true, None) => LOG_IN,
            (false, _) if self.settings.acting_needs_token => NO_OPERATOR,
            (false, _) if self.settings.loopback => NOT_LOCAL,
            (false, _) => EXPOSED,
        })
    }

    pub(crate) fn session(&self, actor: &Actor) -> Session {
        let refusal = self.refusal(actor);
        // Under --read-only an operator's token is good for nothing that the page could show.
        let is_of_use = !self.settings.read_only || !self.settings.viewers.is_empty();
        Session {
            actor: actor.name.clone(),
            role: actor.role,
            can_log_in: self.has_tokens() && is_of_use,
            refusal: refusal.map(str::to_owned),
        }
    }

    /// Compares with every token, so that the time it takes tells nothing.
    fn find_token(&self, presented: &str) -> Option<TokenRef> {
        let mut found = None;
        for (place, token) in self.settings.viewers.iter().enumerate() {
            if token.is(presented) {
                found = Some(TokenRef::Viewer(place));
            }
        }
        for (place, token) in self.settings.operators.iter().enumerate() {
            if token.is(presented) {
                found = Some(TokenRef::Operator(place));
            }
        }
        found
    }

    fn actor_with(&self, token_ref: TokenRef, origin: &Origin) -> Actor {
        let AccessSettings { operators, viewers, read_only, open_values, .. } = &self.settings;
        let (token, rights) = match token_ref {
            TokenRef::Operator(place) => (operators.get(place), Rights::all(*read_only)),
            TokenRef::Viewer(place) => {
                (viewers.get(place), Rights { look: true, values: *open_values, act: false })
            }
        };
        let actor = Actor::new(token.map_or("nobody", Token::name), rights, origin);
        Actor { is_known: true, ..actor }
    }

    fn without_token(&self, rejected: Option<RejectedCredential>, origin: &Origin) -> Actor {
        let AccessSettings { viewers, read_only, open_values, loopback, .. } = &self.settings;
        let is_trusted = *loopback && origin.is_local && !self.settings.acting_needs_token;
        if is_trusted && !self.has_tokens() {
            let actor = Actor::new("local", Rights::all(*read_only), origin);
            return Actor { is_known: true, ..actor };
        }
        let look = viewers.is_empty() && self.settings.told_by_application.is_none();
        let rights = Rights { look, values: look && *open_values, act: false };
        let name = if look { "viewer" } else { "nobody" };
        let rejected = rejected.filter(|_| self.has_tokens());
        Actor { rejected, ..Actor::new(name, rights, origin) }
    }
}

impl std::fmt::Debug for Access {
    // Written out so that no id of a session reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("settings", &self.settings).finish_non_exhaustive()
    }
}
