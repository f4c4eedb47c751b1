use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_app::ListedRedis;
use strata_cache::{Announcements, AskError};
use tokio::time::Instant;
use tracing::warn;

use crate::config::NamedRedis;

/// A node that is up notes its namespace once a minute; what was noted earlier is of one that ended.
pub(super) const NOTED_WITHIN: Duration = Duration::from_secs(120);

/// A Redis in which services are looked for.
pub(super) struct Place {
    pub(super) redis: NamedRedis,
    /// `None` where the services are named.
    announcements: Option<Announcements>,
    seen: Mutex<Seen>,
}

/// What was seen there.
#[derive(Default)]
struct Seen {
    heard_at: Option<Instant>,
    failure: Option<AskError>,
    /// What has ended: namespaces, and how long ago they were noted.
    ended: Vec<(String, Duration)>,
    /// Services that are there and not shown.
    left_out: usize,
}

impl Place {
    pub(super) fn new(redis: NamedRedis, looks: bool) -> anyhow::Result<Self> {
        let announcements = looks.then(|| Announcements::at(&redis.address)).transpose()?;
        Ok(Self { redis, announcements, seen: Mutex::default() })
    }

    /// The namespaces that nodes which are up announce; `None` where they are named or Redis does
    /// not tell.
    pub(super) async fn announced(&self) -> Option<Vec<String>> {
        let noted = self.announcements.as_ref()?.namespaces().await;
        let mut seen = self.seen();
        match noted {
            Ok(noted) => {
                let noted = noted.into_iter().map(|(name, ms)| (name, Duration::from_millis(ms)));
                let (there, ended) = noted.partition(|(_, ago)| *ago <= NOTED_WITHIN);
                let there: Vec<(String, Duration)> = there;
                let heard_at = Some(Instant::now());
                *seen = Seen { heard_at, failure: None, ended, left_out: 0 };
                Some(there.into_iter().map(|(name, _)| name).collect())
            }
            Err(error) => {
                // That it goes on is no news.
                if seen.failure.as_ref() != Some(&error) {
                    let redis = self.redis.name.as_deref().unwrap_or("Redis");
                    warn!(redis, "failed to look for services: {error}; --namespace names them");
                }
                seen.failure = Some(error);
                None
            }
        }
    }

    /// So many that announce themselves are not shown.
    pub(super) fn leave_out(&self, n: usize) {
        self.seen().left_out = n;
    }

    /// Whether it tells which services there are, or need not.
    pub(super) fn tells(&self) -> bool {
        let seen = self.seen();
        self.announcements.is_none() || seen.failure.is_none() && seen.heard_at.is_some()
    }

    /// As the list of services shows it.
    pub(super) fn listed(&self) -> ListedRedis {
        ListedRedis {
            name: self.redis.name.clone(),
            address: self.redis.address.to_string(),
            failure: self.failure(),
            note: self.note(),
        }
    }

    fn failure(&self) -> Option<String> {
        self.announcements.as_ref()?;
        let seen = self.seen();
        let name = self.redis.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let heard = match seen.heard_at {
            Some(at) => format!("last heard {} s ago", at.elapsed().as_secs()),
            None => "nothing was heard yet".to_owned(),
        };
        match seen.failure.as_ref() {
            Some(AskError::Away) => Some(format!("I cannot reach Redis{name}; {heard}.")),
            Some(error) => Some(format!(
                "Redis{name} does not tell which services there are: failed to {error}. \
                 --namespace names them."
            )),
            None if seen.heard_at.is_none() => Some(format!("Redis{name} has not answered yet.")),
            None => None,
        }
    }

    fn note(&self) -> Option<String> {
        let seen = self.seen();
        if seen.left_out > 0 {
            let n = seen.left_out;
            return Some(format!(
                "{n} more announce themselves; --namespace chooses which to show."
            ));
        }
        let ended = seen.ended.iter().take(5);
        let ended = ended.map(|(name, ago)| format!("{name} was last seen {} ago", span(*ago)));
        let ended = ended.collect::<Vec<_>>().join(", ");
        (!ended.is_empty()).then(|| format!("{ended}."))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn span(ago: Duration) -> String {
    match ago.as_secs() / 60 {
        minutes @ 0..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}
