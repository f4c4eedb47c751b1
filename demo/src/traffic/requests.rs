use strata_report::TrafficState;

use super::Zipf;
use crate::ctx::{Caller, Ctx};
use crate::error::DemoError;
use crate::random::Random;
use crate::site::Site;
use crate::store::{PostDraft, PostEdit, UserEdit, Visibility};

const POSTS_PER_USER: u64 = 3;
// People ask for the users who are around these days, a tenth of all, so that L2 comes to hold them.
const AROUND_SHARE: u64 = 10;
const AROUND_AT_LEAST: u64 = 10_000;
const BATCH_LEN: usize = 12;
const N_MISSING: u64 = 50;
// Far above every id that could be given to a new row.
const FIRST_MISSING: i64 = 1 << 40;

/// Chooses the next request.
pub(super) struct RequestChooser {
    users: Zipf,
    posts: Zipf,
    write_share: f64,
    random: Random,
}

/// One request of the traffic.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Request {
    User(i64),
    Users(Vec<i64>),
    Missing(i64),
    Post(i64),
    Timeline(i64, u32),
    PutUser(i64, u64),
    PutPost(i64, u64),
    CreatePost(i64, u64),
}

impl RequestChooser {
    pub(super) fn new(n_users: u64, state: &TrafficState, random: Random) -> Self {
        let n_around = (n_users / AROUND_SHARE).max(n_users.min(AROUND_AT_LEAST));
        Self {
            users: Zipf::new(n_around, state.skew),
            posts: Zipf::new(n_around.saturating_mul(POSTS_PER_USER), state.skew),
            write_share: state.write_share,
            random,
        }
    }

    /// The same people with other habits.
    pub(super) fn with(self, n_users: u64, state: &TrafficState) -> Self {
        Self::new(n_users, state, self.random)
    }

    pub(super) fn next(&mut self) -> Request {
        if self.random.unit() < self.write_share { self.next_write() } else { self.next_read() }
    }

    fn next_read(&mut self) -> Request {
        match self.random.below(100) {
            0..45 => Request::User(self.user()),
            45..79 => Request::Post(self.post()),
            79..95 => {
                let page = 1 + self.random.below(12).saturating_sub(8) as u32;
                Request::Timeline(self.user(), page)
            }
            95..98 => Request::Users((0..BATCH_LEN).map(|_| self.user()).collect()),
            _ => Request::Missing(FIRST_MISSING + self.random.below(N_MISSING) as i64),
        }
    }

    fn next_write(&mut self) -> Request {
        let tag = self.random.next_u64();
        match self.random.below(10) {
            0..5 => Request::PutUser(self.user(), tag),
            5..9 => Request::PutPost(self.post(), tag),
            _ => Request::CreatePost(self.user(), tag),
        }
    }

    fn user(&mut self) -> i64 {
        self.users.sample(&mut self.random).cast_signed()
    }

    fn post(&mut self) -> i64 {
        self.posts.sample(&mut self.random).cast_signed()
    }
}

impl Request {
    /// Makes the request. A key that is not there is an answer, not an error.
    pub(super) async fn send(self, site: &Site) -> Result<(), DemoError> {
        let ctx = Ctx::of(Caller::Admin);
        let result = match self {
            Self::User(id) | Self::Missing(id) => site.user(&ctx, id).await.map(drop),
            Self::Users(ids) => site.users(&ctx, &ids).await.map(drop),
            Self::Post(id) => site.post(&ctx, id).await.map(drop),
            Self::Timeline(author, page) => site.timeline(&ctx, author, page).await.map(drop),
            Self::PutUser(id, tag) => {
                let bio = Some(format!("Rewritten by the traffic, {tag:x}."));
                let edit = UserEdit { bio, ..UserEdit::default() };
                site.put_user(&ctx, id, edit).await.map(drop)
            }
            Self::PutPost(id, tag) => {
                let body = Some(format!("Rewritten by the traffic, {tag:x}. ").repeat(8));
                let edit = PostEdit { body, ..PostEdit::default() };
                site.put_post(&ctx, id, edit).await.map(drop)
            }
            Self::CreatePost(author_id, tag) => {
                let draft = PostDraft {
                    author_id,
                    title: format!("Written by the traffic, {tag:x}"),
                    body: format!("Written by the traffic, {tag:x}. ").repeat(8),
                    visibility: Visibility::Public,
                };
                site.create_post(&ctx, draft).await.map(drop)
            }
        };
        match result {
            Err(DemoError::NotFound) => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::STEADY;

    fn n_writes(write_share: f64) -> usize {
        let state = TrafficState { write_share, ..STEADY };
        let mut chooser = RequestChooser::new(1_000, &state, Random::new(5));
        let is_write = |request: &Request| {
            matches!(request, Request::PutUser(..) | Request::PutPost(..) | Request::CreatePost(..))
        };
        (0..10_000).filter(|_| is_write(&chooser.next())).count()
    }

    #[test]
    fn the_share_of_writes_is_the_one_asked_for() {
        assert_eq!(n_writes(0.0), 0);
        assert_eq!(n_writes(1.0), 10_000);
        assert!((850..1_150).contains(&n_writes(0.1)), "{}", n_writes(0.1));
    }

    #[test]
    fn every_kind_of_request_comes_up() {
        let state = TrafficState { write_share: 0.5, ..STEADY };
        let mut chooser = RequestChooser::new(1_000, &state, Random::new(5));
        let kinds: std::collections::HashSet<_> =
            (0..2_000).map(|_| std::mem::discriminant(&chooser.next())).collect();
        assert_eq!(kinds.len(), 8);
    }
}
