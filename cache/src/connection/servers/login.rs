//! User and password: from the address, from a file, or from a function that renews them.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;

use crate::connection::answer::ErrorReply;
use crate::user_code::{BoxFuture, caught, contained, discard};

/// No file of a password is longer, bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// A user and its password, which may be a token that ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(in crate::connection) user: Option<String>,
    pub(in crate::connection) password: Option<String>,
    pub(in crate::connection) renew_after: Option<Duration>,
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
pub(in crate::connection) struct Login {
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
    pub(in crate::connection) fn of(user: Option<String>, password: Option<String>) -> Self {
        Self { user, password: password.map_or(Password::None, Password::Text) }
    }

    pub(in crate::connection) fn by<F, Fut, E>(provider: F) -> Self
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

    pub(in crate::connection) fn with_user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    pub(in crate::connection) fn with_file(mut self, path: &Path) -> Self {
        self.password = Password::File(path.to_owned());
        self
    }

    #[cfg(test)]
    pub(in crate::connection) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether what it gives may end, so that it is kept until then.
    pub(in crate::connection) fn is_renewed(&self) -> bool {
        matches!(self.password, Password::Provider(_))
    }

    /// User and password as they are now. Waits for the function that gives them.
    pub(in crate::connection) async fn now(&self) -> RedisResult<Credentials> {
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
    let bytes = read_file(path, MAX_BYTES).await.map_err(|error| why(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| why(&"it is no text"))?;
    match text.trim_start_matches('\u{feff}').trim_end() {
        "" => Err(why(&"it is empty")),
        password => Ok(password.to_owned()),
    }
}

/// Reads a regular file of at most `max` bytes, where that holds up nobody.
pub(in crate::connection) async fn read_file(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_regular(&path, max)).await;
    read.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn read_regular(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    // Before it is opened, since opening a pipe waits for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > max {
        true => Err(io::Error::other(format!("it is longer than {max} bytes"))),
        false => Ok(bytes),
    }
}

fn refused(said: String) -> redis::RedisError {
    ErrorReply::refusal("LOGIN", said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_file_of_a_password_is_refused_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("empty"), "\u{feff} \n").unwrap();
        std::fs::write(at("long"), "x".repeat(MAX_BYTES as usize + 1)).unwrap();
        std::fs::write(at("binary"), [0xff]).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        // Nobody ever writes to it.
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        for (name, said) in [
            ("empty", "it is empty"),
            ("long", "it is longer than 65536 bytes"),
            ("binary", "it is no text"),
            ("directory", "it is no regular file"),
            ("pipe", "it is no regular file"),
            ("missing", "No such file"),
        ] {
            let refused = read(&at(name)).await.unwrap_err().to_string();
            let path = at(name).display().to_string();
            assert!(refused.contains(said) && refused.contains(&path), "{name}: {refused}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_to_a_file_as_long_as_may_be_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| dir.path().join(name));
        let password = "x".repeat(MAX_BYTES as usize);
        std::fs::write(&file, &password).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link).await.unwrap(), password);
    }
}
