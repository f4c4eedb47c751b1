use strata_report::{Role, Session};

/// Who may act.
#[derive(Debug)]
pub struct Access {
    rule: Rule,
}

/// What an [`Access`] is made from.
#[derive(Clone, Default)]
pub struct AccessSettings {
    /// Who presents it may act. An empty one counts as none.
    pub operator_token: Option<String>,
    /// Nobody may act.
    pub read_only: bool,
    /// Whether only this machine can reach the program.
    pub loopback: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name that the audit trail shows.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they presented a token that is not the operator's.
    pub token_refused: bool,
}

enum Rule {
    /// Nobody may act.
    ReadOnly,
    /// Whoever presents the token may act.
    Token(String),
    /// Everybody may act: only this machine can reach the program.
    Local,
    /// Nobody may act: others can reach the program and no token would tell them apart.
    Exposed,
}

impl Access {
    /// Decides from the settings who may act.
    pub fn new(settings: AccessSettings) -> Self {
        let token = settings.operator_token.filter(|token| !token.trim().is_empty());
        let rule = match token {
            _ if settings.read_only => Rule::ReadOnly,
            Some(token) => Rule::Token(token),
            None if settings.loopback => Rule::Local,
            None => Rule::Exposed,
        };
        Self { rule }
    }

    /// Who somebody is who presents this token, or none.
    pub fn actor(&self, token: Option<&str>) -> Actor {
        let (name, role) = match &self.rule {
            Rule::Local => ("local", Role::Operator),
            Rule::Token(_) if token.is_some_and(|token| self.accepts(token)) => {
                ("operator", Role::Operator)
            }
            _ => ("viewer", Role::Viewer),
        };
        let token_refused = role == Role::Viewer && token.is_some();
        Actor { name: name.to_owned(), role, token_refused }
    }

    /// Whether this is the operator's token. How long it takes does not depend on how much of it
    /// is right. Under `--read-only`, and where no token is configured, nothing is accepted.
    pub fn accepts(&self, token: &str) -> bool {
        match &self.rule {
            Rule::Token(expected) => same(token.as_bytes(), expected.as_bytes()),
            _ => false,
        }
    }

    /// Why the actor may not act, as a sentence; `None` where they may.
    pub fn refusal(&self, actor: &Actor) -> Option<&'static str> {
        match (&self.rule, actor.role) {
            (Rule::ReadOnly, _) => {
                Some("Strata was started with --read-only, so nothing can be changed.")
            }
            (Rule::Exposed, _) => Some(
                "Strata is read-only, because other machines can reach it and no operator token is set. \
                 Start it with --operator-token to allow changes.",
            ),
            (Rule::Token(_) | Rule::Local, Role::Operator) => None,
            (Rule::Token(_), Role::Viewer) if actor.token_refused => Some(
                "The token that you logged in with is not, or no longer, the operator's. Log in again.",
            ),
            (Rule::Token(_), Role::Viewer) => {
                Some("Only an operator may change something. Log in with the operator token.")
            }
            (Rule::Local, Role::Viewer) => Some("Only an operator may change something."),
        }
    }

    pub(crate) fn session(&self, actor: &Actor) -> Session {
        let refusal = self.refusal(actor);
        Session {
            actor: actor.name.clone(),
            role: actor.role,
            can_log_in: matches!(self.rule, Rule::Token(_)),
            refusal: refusal.map(str::to_owned),
        }
    }
}

impl std::fmt::Debug for Rule {
    // Written out so that the token never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "ReadOnly",
            Self::Token(_) => "Token",
            Self::Local => "Local",
            Self::Exposed => "Exposed",
        })
    }
}

impl std::fmt::Debug for AccessSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessSettings")
            .field("operator_token", &self.operator_token.as_ref().map(|_| "…"))
            .field("read_only", &self.read_only)
            .field("loopback", &self.loopback)
            .finish()
    }
}

// Looks at every byte that was presented, whether or not an earlier one was wrong.
fn same(presented: &[u8], expected: &[u8]) -> bool {
    let mut difference = presented.len() ^ expected.len();
    for (byte, wanted) in presented.iter().zip(expected.iter().cycle()) {
        difference |= usize::from(byte ^ wanted);
    }
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_token(token: &str) -> Access {
        let operator_token = Some(token.to_owned());
        Access::new(AccessSettings { operator_token, ..AccessSettings::default() })
    }

    #[test]
    fn whoever_presents_the_token_may_act_and_others_are_told_how() {
        let access = with_token("open sesame");
        let operator = access.actor(Some("open sesame"));
        assert_eq!((operator.name.as_str(), operator.role), ("operator", Role::Operator));
        assert_eq!(access.refusal(&operator), None);
        let viewer = access.actor(None);
        assert_eq!(viewer.role, Role::Viewer);
        let session = access.session(&viewer);
        assert!(session.can_log_in);
        assert!(session.refusal.unwrap().contains("Log in"));
        let stale = access.refusal(&access.actor(Some("open barley"))).unwrap();
        assert!(stale.contains("no longer") && stale.ends_with("Log in again."));
    }

    #[test]
    fn only_the_whole_token_is_accepted() {
        let access = with_token("abcabc");
        assert!(access.accepts("abcabc"));
        for wrong in ["", "abc", "abcabcabc", "abcabd", "bbcabc", "ABCABC", "abcabc "] {
            assert!(!access.accepts(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_token_is_no_token() {
        for token in ["", "  "] {
            let access = with_token(token);
            assert!(!access.accepts(token));
            assert_eq!(access.actor(Some(token)).role, Role::Viewer);
        }
    }

    #[test]
    fn without_a_token_this_machine_may_act() {
        let access = Access::new(AccessSettings { loopback: true, ..AccessSettings::default() });
        let actor = access.actor(None);
        assert_eq!((actor.name.as_str(), actor.role), ("local", Role::Operator));
        assert_eq!(access.refusal(&actor), None);
    }

    #[test]
    fn without_a_token_nobody_may_act_where_others_reach_it() {
        let access = Access::new(AccessSettings::default());
        let session = access.session(&access.actor(Some("anything")));
        assert_eq!((session.role, session.can_log_in), (Role::Viewer, false));
        assert!(session.refusal.unwrap().contains("--operator-token"));
    }

    #[test]
    fn read_only_refuses_even_an_operator() {
        let operator_token = Some("t".to_owned());
        let settings = AccessSettings { operator_token, read_only: true, loopback: true };
        let access = Access::new(settings);
        assert!(!access.accepts("t"));
        assert_eq!(access.actor(Some("t")).role, Role::Viewer);
        let forged = Actor { role: Role::Operator, ..access.actor(None) };
        assert!(access.refusal(&forged).unwrap().contains("--read-only"));
        assert!(!access.session(&forged).can_log_in);
    }

    #[test]
    fn the_token_is_never_printed() {
        assert!(!format!("{:?}", with_token("sesame")).contains("sesame"));
        let operator_token = Some("sesame".to_owned());
        let settings = AccessSettings { operator_token, ..AccessSettings::default() };
        assert!(!format!("{settings:?}").contains("sesame"));
    }
}
