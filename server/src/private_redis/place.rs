use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use tempfile::TempDir;

use super::PrivateRedisError;

/// The longest path that a socket can have, without the zero at its end.
pub(super) const MAX_SOCKET_BYTES: usize = 107;

/// What the server says on its standard outputs.
pub(super) const OUTPUT: &str = "output";
const LOG: &str = "redis.log";

const PLAIN: &[u8] = b"/._-";
const IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'~');

pub(super) fn socket(dir: &Path) -> PathBuf {
    dir.join("redis.sock")
}

/// A directory of our own for the server: where temporary files belong, unless the path of the
/// socket is too long there, or holds what programs may read in more than one way.
pub(super) fn find() -> Result<TempDir, PrivateRedisError> {
    let usual = env::temp_dir();
    let others = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).into_iter();
    let others: Vec<_> = others.chain(["/tmp".into(), "/var/tmp".into()]).collect();
    find_in(&usual, &others)
}

fn find_in(usual: &Path, others: &[PathBuf]) -> Result<TempDir, PrivateRedisError> {
    // Made first, so that what is wrong with the usual place is said of it.
    let made = make(usual).map_err(PrivateRedisError::Start)?;
    let path = socket(made.path());
    if fits(&path) && is_plain(&path) {
        return Ok(made);
    }
    for other in others {
        if let Ok(elsewhere) = make(other)
            && fits(&socket(elsewhere.path()))
            && is_plain(elsewhere.path())
        {
            return Ok(elsewhere);
        }
    }
    if fits(&path) { Ok(made) } else { Err(PrivateRedisError::PathTooLong(path)) }
}

fn make(parent: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix("strata-redis-").tempdir_in(parent)
}

fn fits(socket: &Path) -> bool {
    socket.as_os_str().len() <= MAX_SOCKET_BYTES
}

fn is_plain(path: &Path) -> bool {
    path.as_os_str()
        .as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || PLAIN.contains(byte))
}

/// The address of a socket. Whatever its path holds is none of the address's own signs.
pub(super) fn url(socket: &Path) -> String {
    format!("redis+unix://{}", percent_encode(socket.as_os_str().as_bytes(), IN_A_PATH))
}

/// The last that the server has said.
pub(super) fn last_words(dir: &Path) -> String {
    let said = |file| {
        let text = fs::read(dir.join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    };
    said(LOG).or_else(|| said(OUTPUT)).unwrap_or_else(|| "it said nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs() -> (TempDir, PathBuf) {
        let root = make(Path::new("/tmp")).unwrap();
        let plain = root.path().join("plain");
        fs::create_dir(&plain).unwrap();
        (root, plain)
    }

    #[test]
    fn a_place_that_is_too_long_or_odd_is_left_for_another() {
        let (root, plain) = dirs();
        for name in ["x".repeat(100), "a#b".into(), "a%20b".into(), "a b?".into(), "ä".into()] {
            let odd = root.path().join(name);
            fs::create_dir(&odd).unwrap();
            let found = find_in(&odd, &["/nosuch".into(), plain.clone()]).unwrap();
            assert!(found.path().starts_with(&plain), "{}", found.path().display());
            assert_eq!(fs::read_dir(&odd).unwrap().count(), 0, "nothing is left there");
        }
        let found = find_in(&plain, &["/tmp".into()]).unwrap();
        assert!(found.path().starts_with(&plain), "what is usual comes first");
    }

    #[test]
    fn without_another_an_odd_place_will_do_and_one_that_is_too_long_is_named() {
        let (root, _) = dirs();
        let odd = root.path().join("a#b%20c");
        fs::create_dir(&odd).unwrap();
        let found = find_in(&odd, &[]).unwrap();
        assert!(url(found.path()).contains("/a%23b%2520c/"), "{}", url(found.path()));
        let long = root.path().join("x".repeat(100));
        fs::create_dir(&long).unwrap();
        let said = find_in(&long, &[odd.join("nosuch")]).unwrap_err().to_string();
        assert!(said.contains("107 bytes") && said.contains("xxxx"), "{said}");
    }
}
