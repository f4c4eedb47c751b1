use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_app::ListedRedis;
use strata_cache::{Announcements, AskError};
use tokio::time::Instant;
use tracing::warn;

use super::service_id::ServiceId;
use crate::config::{NamedRedis, WantedService};

/// A node that is up notes its namespace once a minute; what was noted earlier is of one that ended.
pub(super) const NOTED_WITHIN: Duration = Duration::from_secs(120);

/// A Redis in which services are looked for.
pub(super) struct WatchedRedis {
    pub(super) redis: NamedRedis,
    /// `None` where the services are named.
    announcements: Option<Announcements>,
    /// The namespaces that are named; none where they announce themselves.
    pub(super) named: BTreeSet<String>,
    last: Mutex<LastListing>,
}

/// How a Redis is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// It answers.
    Up,
    /// It answers, and does not tell what is asked of it.
    Refuses,
    /// It has not been asked yet, or has not answered yet.
    NotAsked,
    /// It does not answer.
    Down,
}

impl Reach {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Refuses => "refuses",
            Self::NotAsked => "not_asked",
            Self::Down => "down",
        }
    }
}

/// What its last listing said.
#[derive(Default)]
struct LastListing {
    heard_at: Option<Instant>,
    failure: Option<AskError>,
    /// What the server or its connection said, where it cannot be reached.
    trouble: Option<String>,
    /// What has ended: namespaces, and how long ago they were noted.
    ended: Vec<(String, Duration)>,
    /// Services that are there and not shown.
    left_out: usize,
    /// Whether more was announced than was read.
    is_cut: bool,
    /// Whether all of a listing were taken up at least once.
    was_taken_up: bool,
}

impl WatchedRedis {
    /// # Errors
    /// Where the address makes no sense.
    pub(super) fn new(redis: NamedRedis, wanted: &[WantedService]) -> anyhow::Result<Self> {
        let announcements = Announcements::at(&redis.address)?;
        let named = wanted_in(wanted, redis.name.as_deref());
        let announcements = wanted.is_empty().then_some(announcements);
        Ok(Self { redis, announcements, named, last: Mutex::default() })
    }

    /// Whether it is to show a service of this name in addresses, started or not.
    pub(super) fn names(&self, id: &str) -> bool {
        let name = self.redis.name.as_deref();
        self.named.iter().any(|namespace| ServiceId::new(name, namespace).to_string() == id)
    }

    /// The namespaces that nodes which are up announce; `None` where they are named or Redis does
    /// not tell.
    pub(super) async fn announced(&self) -> Option<Vec<String>> {
        let announcements = self.announcements.as_ref()?;
        let noted = announcements.namespaces().await;
        let mut last = self.last();
        match noted {
            Ok(noted) => {
                let noted = noted.into_iter().map(|(name, ms)| (name, Duration::from_millis(ms)));
                let (there, ended) = noted.partition(|(_, ago)| *ago <= NOTED_WITHIN);
                let there: Vec<(String, Duration)> = there;
                let heard_at = Some(Instant::now());
                let was_taken_up = last.was_taken_up;
                let is_cut = announcements.were_cut();
                *last =
                    LastListing { heard_at, ended, was_taken_up, is_cut, ..LastListing::default() };
                Some(there.into_iter().map(|(name, _)| name).collect())
            }
            Err(error) => {
                // That it goes on is no news.
                if last.failure.as_ref() != Some(&error) {
                    let redis = self.redis.name.as_deref().unwrap_or("Redis");
                    warn!(redis, "failed to look for services: {error}; --namespace names them");
                }
                last.failure = Some(error);
                last.trouble = announcements.trouble();
                None
            }
        }
    }

    /// All that announce themselves are taken up, but so many that are not shown.
    pub(super) fn took_up_all_but(&self, n: usize) {
        let mut last = self.last();
        (last.left_out, last.was_taken_up) = (n, true);
    }

    /// Whether all services that are there, or are named, were taken up once.
    pub(super) fn was_taken_up(&self) -> bool {
        self.last().was_taken_up
    }

    /// Whether it tells which services there are.
    pub(super) fn tells(&self) -> bool {
        let last = self.last();
        last.failure.is_none() && last.was_taken_up
    }

    /// Whether any service is looked for in it.
    pub(super) fn is_wanted(&self) -> bool {
        self.announcements.is_some() || !self.named.is_empty()
    }

    /// How it is reached, by its listings; `None` where it is not asked for any.
    pub(super) fn reach(&self) -> Option<Reach> {
        self.announcements.as_ref()?;
        let last = self.last();
        Some(match (&last.failure, last.heard_at) {
            (Some(AskError::Away), _) => Reach::Down,
            (Some(_), _) => Reach::Refuses,
            (None, None) => Reach::NotAsked,
            (None, Some(_)) => Reach::Up,
        })
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

    /// `Redis eu`, or `Redis` where it is the only one.
    pub(super) fn shown_name(&self) -> String {
        let name = self.redis.name.as_ref().map(|name| format!(" {name}"));
        format!("Redis{}", name.unwrap_or_default())
    }

    /// What is the matter with it where services are named: what one of them has met.
    pub(super) fn named_failure(&self, trouble: &str) -> Option<String> {
        let is_named = self.announcements.is_none();
        is_named.then(|| format!("{} cannot be reached. {trouble}.", self.shown_name()))
    }

    fn failure(&self) -> Option<String> {
        self.announcements.as_ref()?;
        let last = self.last();
        let redis = self.shown_name();
        let heard = match last.heard_at {
            Some(at) => format!("last heard {} s ago", at.elapsed().as_secs()),
            None => "nothing was heard yet".to_owned(),
        };
        match last.failure.as_ref() {
            Some(AskError::Away) => {
                let because = last.trouble.as_ref().map(|why| format!(" {why}."));
                let because = because.unwrap_or_default();
                Some(format!("I cannot reach {redis}; {heard}.{because}"))
            }
            Some(error) => Some(format!(
                "{redis} does not tell which services there are: failed to {error}. \
                 --namespace names them."
            )),
            None if last.heard_at.is_none() => Some(format!("{redis} has not answered yet.")),
            None => None,
        }
    }

    fn note(&self) -> Option<String> {
        let last = self.last();
        if last.is_cut {
            let most = "Very many namespaces are announced: not all were read.";
            return Some(format!("{most} --namespace chooses which to show."));
        }
        if last.left_out > 0 {
            let n = last.left_out;
            return Some(format!(
                "{n} more announce themselves; --namespace chooses which to show."
            ));
        }
        let ended = last.ended.iter().take(5);
        let ended = ended.map(|(name, ago)| format!("{name} was last seen {} ago", span(*ago)));
        let ended = ended.collect::<Vec<_>>().join(", ");
        (!ended.is_empty()).then(|| format!("{ended}."))
    }

    fn last(&self) -> MutexGuard<'_, LastListing> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn span(ago: Duration) -> String {
    match ago.as_secs() / 60 {
        minutes @ 0..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

/// The namespaces that are wanted in a Redis, each once however often it is named.
fn wanted_in(wanted: &[WantedService], redis: Option<&str>) -> BTreeSet<String> {
    let is_here = |one: &&WantedService| one.redis.is_none() || one.redis.as_deref() == redis;
    wanted.iter().filter(is_here).map(|one| one.namespace.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_named_twice_is_wanted_once() {
        let named = |redis: Option<&str>| WantedService {
            redis: redis.map(str::to_owned),
            namespace: "shop".to_owned(),
        };
        let wanted = [named(None), named(None), named(Some("eu"))];
        assert_eq!(wanted_in(&wanted, Some("eu")).len(), 1);
        assert_eq!(wanted_in(&wanted, Some("us")).len(), 1);
        assert!(wanted_in(&wanted[2..], Some("us")).is_empty());
    }
}
