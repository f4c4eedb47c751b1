use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Store, StoreError};
use crate::ctx::Caller;

/// A row of the table `posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Post {
    /// Its id.
    pub id: i64,
    /// The user who wrote it.
    pub author_id: i64,
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Grows by one with each change.
    pub version: i64,
    /// When it was last changed, milliseconds since the epoch.
    pub updated_at_ms: i64,
}

/// Who may see a post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody; it is on its author's timeline.
    #[default]
    Public,
    /// Its author and admins.
    Draft,
}

/// A post to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostDraft {
    /// The user who writes it.
    pub author_id: i64,
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Visibility,
}

/// A change to a post. A field left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostEdit {
    /// The new title.
    pub title: Option<String>,
    /// The new text.
    pub body: Option<String>,
    /// Who may see it from now on.
    pub visibility: Option<Visibility>,
    /// The version that the writer has read: the change is refused if there is a newer one.
    pub version: Option<i64>,
}

/// A post on a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct PostSummary {
    /// The post.
    pub id: i64,
    /// Its title.
    pub title: String,
}

/// Some of an author's public posts, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelinePage {
    /// The author.
    pub author_id: i64,
    /// Which page; the first, 1, has the newest posts.
    pub page: u32,
    /// The posts; none past the last page.
    pub posts: Vec<PostSummary>,
}

impl Post {
    /// Whether `caller` may see it.
    pub fn is_visible_to(&self, caller: Caller) -> bool {
        self.visibility == Visibility::Public || caller.owns(self.author_id)
    }
}

impl Store {
    /// Posts on one page of a timeline.
    pub const PAGE_LEN: u32 = 20;

    /// One post.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn post(&self, id: i64) -> Result<Option<Post>, StoreError> {
        let sql = "SELECT id, author_id, title, body, visibility, version, updated_at_ms
            FROM posts WHERE id = ?";
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&self.reads).await?)
    }

    /// Who wrote a post. This never changes.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such post.
    pub async fn author_of(&self, post: i64) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT author_id FROM posts WHERE id = ?")
            .bind(post)
            .fetch_optional(&self.reads)
            .await?
            .ok_or(StoreError::Missing)
    }

    /// One page of an author's timeline; `None` where there is no such author.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn timeline(
        &self,
        author_id: i64,
        page: u32,
    ) -> Result<Option<TimelinePage>, StoreError> {
        let sql = "SELECT id, title FROM posts WHERE author_id = ? AND visibility = 'public'
            ORDER BY id DESC LIMIT ? OFFSET ?";
        let posts: Vec<PostSummary> = sqlx::query_as(sql)
            .bind(author_id)
            .bind(Self::PAGE_LEN)
            .bind(i64::from(Self::PAGE_LEN) * i64::from(page.saturating_sub(1)))
            .fetch_all(&self.reads)
            .await?;
        if posts.is_empty() && self.user(author_id).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(TimelinePage { author_id, page, posts }))
    }

    /// Makes a post.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such author.
    pub async fn create_post(&self, draft: &PostDraft) -> Result<Post, StoreError> {
        let sql = "INSERT INTO posts (author_id, title, body, visibility, updated_at_ms)
            VALUES (?, ?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))
            RETURNING id, author_id, title, body, visibility, version, updated_at_ms";
        let mut tx = self.begin().await?;
        let post = sqlx::query_as(sql)
            .bind(draft.author_id)
            .bind(&draft.title)
            .bind(&draft.body)
            .bind(draft.visibility)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(post)
    }

    /// Changes a post.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Outdated`].
    pub async fn put_post(&self, id: i64, edit: &PostEdit) -> Result<Post, StoreError> {
        let sql = "UPDATE posts SET
                title = COALESCE(?1, title), body = COALESCE(?2, body),
                visibility = COALESCE(?3, visibility), version = version + 1,
                updated_at_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER)
            WHERE id = ?4 AND (?5 IS NULL OR version = ?5)
            RETURNING id, author_id, title, body, visibility, version, updated_at_ms";
        let mut tx = self.begin().await?;
        let post = sqlx::query_as(sql)
            .bind(&edit.title)
            .bind(&edit.body)
            .bind(edit.visibility)
            .bind(id)
            .bind(edit.version)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(post) = post else {
            let exists = "SELECT EXISTS (SELECT 1 FROM posts WHERE id = ?)";
            let exists: bool = sqlx::query_scalar(exists).bind(id).fetch_one(&mut *tx).await?;
            return Err(if exists { StoreError::Outdated } else { StoreError::Missing });
        };
        tx.commit().await?;
        Ok(post)
    }

    /// Removes a post.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such post.
    pub async fn delete_post(&self, id: i64) -> Result<(), StoreError> {
        let deleted =
            sqlx::query("DELETE FROM posts WHERE id = ?").bind(id).execute(&self.writes).await?;
        if deleted.rows_affected() == 0 { Err(StoreError::Missing) } else { Ok(()) }
    }
}
