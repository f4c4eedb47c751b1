use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Store, StoreError};
use crate::ctx::Caller;

/// A row of the table `users`, as caches hold it. What a caller gets is a [`UserView`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct User {
    /// Its id.
    pub id: i64,
    /// The name to show.
    pub name: String,
    /// Private: for the user and admins only.
    pub email: String,
    /// What the user is.
    pub role: UserRole,
    /// A few words about the user.
    pub bio: String,
    /// Grows by one with each change.
    pub version: i64,
    /// When it was last changed, milliseconds since the epoch.
    pub updated_at_ms: i64,
}

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(rename_all = "lowercase")]
pub enum UserRole {
    /// Writes posts.
    Member,
    /// Also looks after others' posts.
    Admin,
}

/// A user as one caller may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the one of User")]
pub struct UserView {
    pub id: i64,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub role: UserRole,
    pub bio: String,
    pub version: i64,
    pub updated_at_ms: i64,
}

/// A user to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// The name to show.
    pub name: String,
    /// Unique among all users.
    pub email: String,
    /// A few words about the user.
    #[serde(default)]
    pub bio: String,
}

/// A change to a user. A field left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserEdit {
    /// The new name.
    pub name: Option<String>,
    /// The new e-mail address.
    pub email: Option<String>,
    /// The new words.
    pub bio: Option<String>,
    /// The version that the writer has read: the change is refused if there is a newer one.
    pub version: Option<i64>,
}

impl User {
    /// The user as `caller` may see it.
    pub fn seen_by(&self, caller: Caller) -> UserView {
        let Self { id, name, email, role, bio, version, updated_at_ms } = self.clone();
        let email = caller.owns(id).then_some(email);
        UserView { id, name, email, role, bio, version, updated_at_ms }
    }
}

impl Store {
    /// One user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn user(&self, id: i64) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, name, email, role, bio, version, updated_at_ms
            FROM users WHERE id = ?";
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&self.reads).await?)
    }

    /// Those of `ids` that exist, in one query.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn users(&self, ids: &[i64]) -> Result<HashMap<i64, User>, StoreError> {
        // As JSON the list is one argument, so that lists of every length share one statement.
        let sql = "SELECT id, name, email, role, bio, version, updated_at_ms
            FROM users WHERE id IN (SELECT value FROM json_each(?))";
        let list = serde_json::json!(ids).to_string();
        let users: Vec<User> = sqlx::query_as(sql).bind(list).fetch_all(&self.reads).await?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where another user has the e-mail address.
    pub async fn create_user(&self, draft: &UserDraft) -> Result<User, StoreError> {
        let sql = "INSERT INTO users (name, email, bio, updated_at_ms)
            VALUES (?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))
            RETURNING id, name, email, role, bio, version, updated_at_ms";
        let mut tx = self.begin().await?;
        let user = sqlx::query_as(sql)
            .bind(&draft.name)
            .bind(&draft.email)
            .bind(&draft.bio)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Outdated`] or [`StoreError::Taken`].
    pub async fn put_user(&self, id: i64, edit: &UserEdit) -> Result<User, StoreError> {
        let sql = "UPDATE users SET
                name = COALESCE(?1, name), email = COALESCE(?2, email), bio = COALESCE(?3, bio),
                version = version + 1,
                updated_at_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER)
            WHERE id = ?4 AND (?5 IS NULL OR version = ?5)
            RETURNING id, name, email, role, bio, version, updated_at_ms";
        let mut tx = self.begin().await?;
        let user = sqlx::query_as(sql)
            .bind(&edit.name)
            .bind(&edit.email)
            .bind(&edit.bio)
            .bind(id)
            .bind(edit.version)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(user) = user else {
            let exists = "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)";
            let exists: bool = sqlx::query_scalar(exists).bind(id).fetch_one(&mut *tx).await?;
            return Err(if exists { StoreError::Outdated } else { StoreError::Missing });
        };
        tx.commit().await?;
        Ok(user)
    }

    /// Removes a user with all posts, whose ids it returns.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such user.
    pub async fn delete_user(&self, id: i64) -> Result<Vec<i64>, StoreError> {
        let mut tx = self.begin().await?;
        let posts = sqlx::query_scalar("DELETE FROM posts WHERE author_id = ? RETURNING id")
            .bind(id)
            .fetch_all(&mut *tx)
            .await?;
        let user = sqlx::query("DELETE FROM users WHERE id = ?").bind(id).execute(&mut *tx).await?;
        if user.rows_affected() == 0 {
            return Err(StoreError::Missing);
        }
        tx.commit().await?;
        Ok(posts)
    }
}
