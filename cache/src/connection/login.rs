//! User and password: from the address, from a file, or from a function that renews them.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use super::answer::ErrorReply;
use crate::user_code::{BoxFuture, caught, contained, discard};

/// No file of a password is longer, bytes.
const MAX_BYTES: usize = 64 * 1_024;

/// A user and its password, which may be a token that ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) renew_after: Option<Duration>,
}

impl Credentials {
    /// Of this user. An empty name is the user `default`.
    pub fn new(user: &str, password: &str) -> Self {
        let user = Some(user.to_owned()).filter(|user| !user.is_empty());
        Self { user, password: Some(password.to_owned()), renew_after: None }
    }

    /// They are asked for again after this time, and open connections log in anew. It should be
    /// shorter than they last, by some minutes. A second at least.
    #[must_use]
    pub fn renew_after(mut self, time: Duration) -> Self {
        self.renew_after = Some(time.max(Duration::from_secs(1)));
        self
    }
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Credentials");
        fields.field("user", &self.user).field("renew_after", &self.renew_after).finish()
    }
}

/// Where user and password come from.
#[derive(Clone, Default)]
pub(super) struct Login {
    user: Option<String>,
    password: Password,
}

#[derive(Clone, Default)]
enum Password {
    #[default]
    None,
    Text(String),
    File(PathBuf),
    /// It gives the user as well.
    Provider(Arc<Provider>),
}

type Provider = dyn Fn() -> BoxFuture<'static, Result<Credentials, String>> + Send + Sync;

impl Login {
    pub(super) fn of(user: Option<String>, password: Option<String>) -> Self {
        Self { user, password: password.map_or(Password::None, Password::Text) }
    }

    pub(super) fn by<F, Fut, E>(provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let provider = move || -> BoxFuture<'static, Result<Credentials, String>> {
            let asked = contained(|| -> BoxFuture<'static, Result<Credentials, String>> {
                let asking = provider();
                Box::pin(async move { asking.await.map_err(|error| error.into().to_string()) })
            });
            asked.unwrap_or_else(|| Box::pin(async { Err("it panicked".to_owned()) }))
        };
        Self { user: None, password: Password::Provider(Arc::new(provider)) }
    }

    pub(super) fn with_user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    pub(super) fn with_file(mut self, path: &Path) -> Self {
        self.password = Password::File(path.to_owned());
        self
    }

    #[cfg(test)]
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether what it gives may end, so that it is kept until then.
    pub(super) fn is_renewed(&self) -> bool {
        matches!(self.password, Password::Provider(_))
    }

    /// User and password as they are now. Waits for the function that gives them.
    pub(super) async fn now(&self) -> RedisResult<Credentials> {
        let of = |password| Credentials { user: self.user.clone(), password, renew_after: None };
        match &self.password {
            Password::None => Ok(of(None)),
            Password::Text(text) => Ok(of(Some(text.clone()))),
            Password::File(path) => read(path).await.map(|password| of(Some(password))),
            Password::Provider(provider) => match caught(provider()).await {
                Ok(Ok(credentials)) => Ok(credentials),
                Ok(Err(why)) => Err(refused(format!("no user and password are given: {why}"))),
                Err(panic) => {
                    discard(panic);
                    Err(refused("what gives user and password panicked".to_owned()))
                }
            },
        }
    }
}

async fn read(path: &Path) -> RedisResult<String> {
    let why = |why: &dyn fmt::Display| {
        refused(format!("the file of the password {} cannot be read: {why}", path.display()))
    };
    let bytes = read_file(path).await.map_err(|error| why(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(why(&"it is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| why(&"it is no text"))?;
    Ok(text.trim_start_matches('\u{feff}').trim_end().to_owned())
}

/// Reads a file where that holds up nobody.
pub(super) async fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    read.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn refused(said: String) -> redis::RedisError {
    ErrorReply::refusal("LOGIN", said)
}
