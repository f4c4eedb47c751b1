//! Keys and values whose own code panics on demand.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize};

/// Which code panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Parsing,
    Printing,
    Hashing,
    Comparing,
    Cloning,
    Dropping,
    Reading,
}

impl Code {
    /// All kinds of code that a key has.
    pub(super) const OF_KEYS: [Self; 5] =
        [Self::Parsing, Self::Printing, Self::Hashing, Self::Comparing, Self::Cloning];
}

/// The numbers whose code panics. Each test has numbers of its own.
static ARMED: Mutex<Vec<(u64, Code)>> = Mutex::new(Vec::new());

/// While this lives, the code of the number panics.
pub(super) struct Armed(u64, Code);

pub(super) fn arm(number: u64, code: Code) -> Armed {
    ARMED.lock().unwrap_or_else(PoisonError::into_inner).push((number, code));
    Armed(number, code)
}

impl Armed {
    /// Takes over a number armed elsewhere, to disarm it.
    pub(super) fn of(number: u64, code: Code) -> Self {
        Self(number, code)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        armed.retain(|armed| *armed != (self.0, self.1));
    }
}

fn touch(number: u64, code: Code) {
    let armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner).contains(&(number, code));
    assert!(!armed, "{code:?} of {number}");
}

/// A key whose text is a number.
#[derive(Debug)]
pub(super) struct Touchy(pub(super) u64);

impl fmt::Display for Touchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        touch(self.0, Code::Printing);
        self.0.fmt(f)
    }
}

impl FromStr for Touchy {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse()?;
        touch(number, Code::Parsing);
        Ok(Self(number))
    }
}

impl Hash for Touchy {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        touch(self.0, Code::Hashing);
        self.0.hash(hasher);
    }
}

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        touch(self.0, Code::Comparing);
        self.0 == other.0
    }
}

impl Eq for Touchy {}

impl Clone for Touchy {
    fn clone(&self) -> Self {
        touch(self.0, Code::Cloning);
        Self(self.0)
    }
}

/// A value whose code may panic when its last copy is dropped, and when it is copied.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fragile(pub(super) u64);

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        touch(number, Code::Reading);
        Ok(Self(number))
    }
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        touch(self.0, Code::Cloning);
        Self(self.0)
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        // A second panic would end the process, which no library can prevent.
        if !std::thread::panicking() {
            touch(self.0, Code::Dropping);
        }
    }
}
