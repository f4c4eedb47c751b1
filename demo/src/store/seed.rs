use std::ops::Range;
use std::time::{Duration, Instant};

use sqlx::{QueryBuilder, Sqlite, Transaction};

use super::prose::{line, prose};
use super::{Store, StoreError};
use crate::random::Random;

const POSTS_PER_USER: i64 = 3;
const USERS_PER_COMMIT: i64 = 5_000;
// SQLite copies each page that a statement changes, so few large statements beat many small ones.
const ROWS_PER_INSERT: usize = 5_000;

// Pages of one commit stay in memory until it is written, and are given back at the end.
const ROOM_FOR_ONE_COMMIT: &str = "PRAGMA cache_size = -16384";
const LITTLE_ROOM: &str = "PRAGMA cache_size = -2000; PRAGMA shrink_memory";

// 2024-01-01, so that the same rows carry the same times on every machine.
const FIRST_MS: i64 = 1_704_067_200_000;

const FIRST_NAMES: [&str; 16] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "John",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Tony",
];
const LAST_NAMES: [&str; 16] = [
    "Agate", "Basalt", "Chalk", "Dolomite", "Flint", "Gneiss", "Granite", "Gypsum", "Jasper",
    "Marble", "Onyx", "Pumice", "Quartz", "Shale", "Slate", "Tuff",
];

/// What seeding did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeding {
    /// Users added; 0 where they were there already.
    pub n_users: u64,
    /// Posts added.
    pub n_posts: u64,
    /// How long it took.
    pub took: Duration,
}

impl Store {
    /// Fills the store with users `1..=n_users` and three posts for each on average, the same rows
    /// every time. What is there already stays: seeding an equal or smaller number does nothing, a
    /// larger one adds the rest, and one that was interrupted goes on. A database with users of its
    /// own is left alone.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn seed(&self, n_users: u64) -> Result<Seeding, StoreError> {
        let started = Instant::now();
        let most = i64::MAX / POSTS_PER_USER - USERS_PER_COMMIT;
        let wanted = i64::try_from(n_users).unwrap_or(most).min(most);
        let Some(mut seeded) = self.seeded().await? else {
            return Ok(Seeding { n_users: 0, n_posts: 0, took: started.elapsed() });
        };
        let added = (wanted - seeded).max(0);
        if added > 0 {
            sqlx::query(ROOM_FOR_ONE_COMMIT).execute(&self.writes).await?;
        }
        while seeded < wanted {
            let upto = wanted.min(seeded + USERS_PER_COMMIT);
            self.seed_users(seeded + 1..upto + 1).await?;
            seeded = upto;
        }
        if added > 0 {
            sqlx::query(LITTLE_ROOM).execute(&self.writes).await?;
        }
        Ok(Seeding {
            n_users: added.unsigned_abs(),
            n_posts: (added * POSTS_PER_USER).unsigned_abs(),
            took: started.elapsed(),
        })
    }

    // How many users were seeded before; `None` where somebody else's rows are in the table.
    async fn seeded(&self) -> Result<Option<i64>, StoreError> {
        let seeded: Option<i64> =
            sqlx::query_scalar("SELECT n_users FROM seeding").fetch_optional(&self.writes).await?;
        if seeded.is_some() {
            return Ok(seeded);
        }
        let foreign: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users)")
            .fetch_one(&self.writes)
            .await?;
        Ok((!foreign).then_some(0))
    }

    async fn seed_users(&self, users: Range<i64>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let ids: Vec<i64> = users.clone().collect();
        for ids in ids.chunks(ROWS_PER_INSERT) {
            insert_users(&mut tx, ids).await?;
        }
        let first_post = (users.start - 1) * POSTS_PER_USER + 1;
        let ids: Vec<i64> = (first_post..=(users.end - 1) * POSTS_PER_USER).collect();
        for ids in ids.chunks(ROWS_PER_INSERT) {
            insert_posts(&mut tx, ids).await?;
        }
        sqlx::query(
            "INSERT INTO seeding (only, n_users) VALUES (1, ?)
            ON CONFLICT (only) DO UPDATE SET n_users = excluded.n_users",
        )
        .bind(users.end - 1)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

async fn insert_users(tx: &mut Transaction<'_, Sqlite>, ids: &[i64]) -> Result<(), StoreError> {
    let mut insert =
        QueryBuilder::new("INSERT INTO users (id, name, email, role, bio, updated_at_ms) ");
    insert.push_values(ids, |mut row, id| {
        let mut random = Random::new(id.unsigned_abs());
        let name = format!("{} {}", random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES));
        let n_words = 5 + random.below(8) as usize;
        row.push_bind(*id)
            .push_bind(name)
            .push_bind(format!("user{id}@example.com"))
            .push_bind(if id % 1_000 == 0 { "admin" } else { "member" })
            .push_bind(line(&mut random, n_words))
            .push_bind(FIRST_MS + id);
    });
    // Rows that people made meanwhile stay.
    insert.push(" ON CONFLICT DO NOTHING").build().persistent(false).execute(&mut **tx).await?;
    Ok(())
}

async fn insert_posts(tx: &mut Transaction<'_, Sqlite>, ids: &[i64]) -> Result<(), StoreError> {
    let mut insert = QueryBuilder::new(
        "INSERT INTO posts (id, author_id, title, body, updated_at_ms) SELECT * FROM (",
    );
    insert.push_values(ids, |mut row, id| {
        let mut random = Random::new(id.unsigned_abs() ^ 0x706f_7374);
        let n_words = 3 + random.below(5) as usize;
        let title = line(&mut random, n_words);
        let n_bytes = body_bytes(random.unit());
        row.push_bind(*id)
            .push_bind(author_of(*id, random.unit()))
            .push_bind(title)
            .push_bind(prose(&mut random, n_bytes))
            .push_bind(FIRST_MS + id);
    });
    // An author may have been deleted since.
    insert.push(") WHERE column2 IN (SELECT id FROM users) ON CONFLICT DO NOTHING");
    insert.build().persistent(false).execute(&mut **tx).await?;
    Ok(())
}

// A post is written by a user seeded no later than itself, so that a store can grow; users with
// low ids write more, so that some timelines have many pages.
fn author_of(post: i64, unit: f64) -> i64 {
    let n_users = (post + POSTS_PER_USER - 1) / POSTS_PER_USER;
    (1 + (n_users as f64 * unit * unit) as i64).min(n_users)
}

// 200 bytes to 8 KB: half of all posts stay below 300 bytes, and one in 1 700 reaches the end.
fn body_bytes(unit: f64) -> usize {
    let size = 200.0 / (1.0 - unit).sqrt();
    size.min(8_192.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_200_bytes_to_8_kb() {
        assert_eq!(body_bytes(0.0), 200);
        assert_eq!(body_bytes(0.999_999_9), 8_192);
    }

    #[test]
    fn an_author_is_never_seeded_after_the_post() {
        for post in 1..10_000 {
            for unit in [0.0, 0.5, 0.999_999_999] {
                let author = author_of(post, unit);
                assert!((1..=(post + 2) / 3).contains(&author), "post {post} by {author}");
            }
        }
    }
}
