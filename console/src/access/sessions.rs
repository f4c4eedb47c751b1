use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::rights::TokenRef;

/// A session that nobody uses for so long ends.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// A session ends after so long, however much it is used.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The most sessions. The one that has not been used for longest makes room.
const MOST: usize = 1_000;

/// Who has logged in. In memory alone: a restart ends every session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_id: Mutex<HashMap<String, Session>>,
}

// No `Debug` of the map's keys reaches anybody: `Access` is printed without its sessions.
#[derive(Clone, Copy, Debug)]
struct Session {
    token: TokenRef,
    began: Instant,
    used: Instant,
}

impl Sessions {
    /// Begins a session; its id cannot be guessed.
    pub(super) fn begin(&self, token: TokenRef) -> String {
        let id = random_id();
        let now = Instant::now();
        let mut sessions = self.by_id();
        sessions.retain(|_, session| session.lasts(now));
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                sessions.remove(&oldest);
            }
        }
        sessions.insert(id.clone(), Session { token, began: now, used: now });
        id
    }

    /// The token that a session was begun with; the session counts as used now. `None` if there is no
    /// such session any more.
    pub(super) fn token(&self, id: &str) -> Option<TokenRef> {
        let now = Instant::now();
        let mut sessions = self.by_id();
        let session = sessions.get_mut(id).filter(|session| session.lasts(now));
        let Some(session) = session else {
            sessions.remove(id);
            return None;
        };
        session.used = now;
        Some(session.token)
    }

    /// Whether a session goes on; this does not count as using it.
    pub(super) fn goes_on(&self, id: &str) -> bool {
        self.by_id().get(id).is_some_and(|session| session.lasts(Instant::now()))
    }

    /// Ends one session; `None` where there was none.
    pub(super) fn end(&self, id: &str) -> Option<TokenRef> {
        self.by_id().remove(id).map(|session| session.token)
    }

    /// Ends every session of the same token; how many.
    pub(super) fn end_all(&self, token: TokenRef) -> usize {
        let mut sessions = self.by_id();
        let before = sessions.len();
        sessions.retain(|_, session| session.token != token);
        before - sessions.len()
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn lasts(&self, now: Instant) -> bool {
        now.duration_since(self.used) < IDLE && now.duration_since(self.began) < LONGEST
    }
}

fn random_id() -> String {
    rand::random::<[u8; 32]>().iter().fold(String::new(), |mut id, byte| {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ANNA: TokenRef = TokenRef::Operator(0);
    const BEN: TokenRef = TokenRef::Viewer(0);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_once_nobody_has_used_it_for_half_a_day() {
        let sessions = Sessions::default();
        let id = sessions.begin(ANNA);
        advance(11 * HOUR).await;
        assert_eq!(sessions.token(&id), Some(ANNA));
        advance(11 * HOUR).await;
        assert_eq!(sessions.token(&id), Some(ANNA));
        advance(11 * HOUR).await;
        assert!(sessions.goes_on(&id));
        advance(HOUR).await;
        assert!(!sessions.goes_on(&id), "asking is not using");
        assert_eq!(sessions.token(&id), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_after_a_week_however_much_it_is_used() {
        let sessions = Sessions::default();
        let id = sessions.begin(ANNA);
        for _ in 0..7 * 24 - 1 {
            advance(HOUR).await;
            assert_eq!(sessions.token(&id), Some(ANNA));
        }
        advance(HOUR).await;
        assert_eq!(sessions.token(&id), None);
    }

    #[tokio::test(start_paused = true)]
    async fn ending_all_sessions_of_a_token_leaves_those_of_others() {
        let sessions = Sessions::default();
        let (first, second, other) =
            (sessions.begin(ANNA), sessions.begin(ANNA), sessions.begin(BEN));
        assert_eq!(sessions.end_all(ANNA), 2);
        let left = [&first, &second, &other].map(|id| sessions.token(id));
        assert_eq!(left, [None, None, Some(BEN)]);
        assert_eq!(sessions.end(&other), Some(BEN));
        assert_eq!(sessions.end(&other), None);
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_sessions_push_out_the_one_that_is_least_used() {
        let sessions = Sessions::default();
        let oldest = sessions.begin(ANNA);
        advance(Duration::from_secs(1)).await;
        let second = sessions.begin(ANNA);
        advance(Duration::from_secs(1)).await;
        for _ in 2..MOST {
            sessions.begin(ANNA);
        }
        advance(Duration::from_secs(1)).await;
        assert_eq!(sessions.token(&oldest), Some(ANNA));
        sessions.begin(BEN);
        assert_eq!(sessions.token(&oldest), Some(ANNA));
        assert_eq!(sessions.token(&second), None);
        assert_eq!(sessions.by_id().len(), MOST);
    }

    #[test]
    fn no_two_ids_are_alike_and_each_is_long() {
        let (one, other) = (random_id(), random_id());
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
    }
}
