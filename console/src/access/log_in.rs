use super::actor::{Actor, Origin};
use super::audit::AuditedAction;
use super::rights::{Credentials, LogInError, LoggedIn};
use strata_report::Session;

use crate::console::Console;
use crate::error::ConsoleError;

impl Console {
    /// What the actor may do, and why not.
    pub fn session(&self, actor: &Actor) -> Session {
        self.inner.access.session(actor)
    }

    /// Lets pass who may act. For doors that act beside caches, such as the demo's traffic.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`]; the refusal is in the audit trail.
    pub fn authorise(&self, actor: &Actor, action: &str, target: &str) -> Result<(), ConsoleError> {
        self.authorise_action(actor, AuditedAction::new(action, "", target))
    }

    /// Writes down what somebody did beside caches, after [`Console::authorise`] let it pass.
    pub fn record(&self, actor: &Actor, action: &str, target: &str, result: &str) {
        let audited = AuditedAction::new(action, "", target);
        self.inner.audit.record(actor, audited, result.to_owned());
    }

    pub(crate) fn authorise_action(
        &self,
        actor: &Actor,
        audited: AuditedAction<'_>,
    ) -> Result<(), ConsoleError> {
        match self.access().refusal(actor) {
            Some(why) => {
                self.inner.audit.refuse(actor, audited, why);
                Err(ConsoleError::Refused(why.to_owned()))
            }
            None => Ok(()),
        }
    }

    /// Lets pass who may act, before anybody looks at what else the request says. The texts are as
    /// far as they are known.
    ///
    /// # Errors
    /// [`ConsoleError::Refused`]; the refusal is in the audit trail.
    pub fn authorise_first(
        &self,
        actor: &Actor,
        action: &str,
        (cache, target): (&str, &str),
    ) -> Result<(), ConsoleError> {
        self.authorise_action(actor, AuditedAction::new(action, cache, target))
    }

    /// Writes down something that was refused before it came to this console.
    pub fn note_refusal(&self, actor: &Actor, action: &str, target: &str, why: &str) {
        self.inner.audit.refuse(actor, AuditedAction::new(action, "", target), why);
    }

    /// Begins a session for whoever presents a token. That it began, or was refused, is in the
    /// audit trail.
    ///
    /// # Errors
    /// See [`LogInError`].
    pub fn log_in(&self, token: &str, origin: &Origin) -> Result<LoggedIn, LogInError> {
        let audited = AuditedAction::new("log_in", "", "");
        match self.access().log_in(token, origin) {
            Ok(logged_in) => {
                let may = if logged_in.actor.rights.act { "act" } else { "look" };
                self.inner.audit.record(&logged_in.actor, audited, format!("Done: may {may}."));
                Ok(logged_in)
            }
            Err(error) => {
                let nobody = self.access().identify(Credentials::default(), origin);
                self.inner.audit.refuse(&nobody, audited, &error.to_string());
                Err(error)
            }
        }
    }

    /// Ends a session.
    pub fn log_out(&self, actor: &Actor, session: &str) {
        if self.access().log_out(session) {
            let audited = AuditedAction::new("log_out", "", "");
            self.inner.audit.record(actor, audited, "Done.".to_owned());
        }
    }

    /// Ends every session that was begun with the same token.
    pub fn log_out_everywhere(&self, actor: &Actor, session: &str) {
        let ended = self.access().log_out_everywhere(session);
        if ended > 0 {
            let audited = AuditedAction::new("log_out", "", "everywhere");
            self.inner.audit.record(actor, audited, format!("Done: {ended} sessions have ended."));
        }
    }
}
