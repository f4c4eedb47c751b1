use strata_cache::RedisAddress;

use super::{ConfigError, RedisChoice, RedisLogin, Secret};

/// A Redis in which services are looked for.
#[derive(Clone, Debug)]
pub struct NamedRedis {
    /// Its name; `None` where it is the only one and has none.
    pub name: Option<String>,
    /// Where it is, and how to log in.
    pub address: RedisAddress,
}

/// Which service is shown: one of this namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedService {
    /// The name of its Redis; `None` is any.
    pub redis: Option<String>,
    /// Its namespace.
    pub namespace: String,
}

impl NamedRedis {
    /// Reads `URL` or `NAME=URL`, several one after the other: on lines, or with spaces between.
    ///
    /// # Errors
    /// Where an address is none, or several have no names of their own.
    pub(super) fn read_all(text: &Secret, login: &RedisLogin) -> Result<Vec<Self>, ConfigError> {
        let texts = split(text.reveal());
        let mut all = Vec::new();
        for (name, url) in &texts {
            let choice = url.parse().map_err(refused)?;
            let address = match login.of(&choice)? {
                Some(address) => address,
                None if choice == RedisChoice::Off => return Err(ConfigError::NoRedis),
                None => return Err(refused("give a redis:// or unix: address".to_owned())),
            };
            all.push(Self { name: name.map(str::to_owned), address });
        }
        let names: Vec<_> = all.iter().map(|redis| redis.name.as_deref()).collect();
        let is_repeated = |i: usize| names[..i].contains(&names[i]);
        if all.len() > 1 && (0..all.len()).any(|i| names[i].is_none() || is_repeated(i)) {
            let reason = "of several, each has a name of its own, such as eu=redis://…";
            return Err(refused(reason.to_owned()));
        }
        if all.is_empty() { Err(ConfigError::NoRedis) } else { Ok(all) }
    }
}

/// The only address of a text, which a program that shows several may name as well.
///
/// # Errors
/// Where there are several. It names them, and repeats no address.
pub(super) fn only(text: &str) -> Result<String, String> {
    let all = split(text);
    match all.as_slice() {
        [] => Ok(String::new()),
        [(_, url)] => Ok(url.clone()),
        several => {
            let names: Vec<_> = several.iter().filter_map(|(name, _)| *name).collect();
            let names = match names.as_slice() {
                [] => String::new(),
                names => format!(" ({})", names.join(", ")),
            };
            Err(format!("several Redis are named{names}; choose one with --redis-url redis://…"))
        }
    }
}

fn refused(reason: String) -> ConfigError {
    ConfigError::Redis { option: "--redis-url", reason }
}

/// The addresses of a text, each with its name. A space within an address belongs to it.
fn split(text: &str) -> Vec<(Option<&str>, String)> {
    let mut all: Vec<(Option<&str>, String)> = Vec::new();
    for line in text.lines() {
        let mut is_new = true;
        for word in line.split_whitespace() {
            match (named(word), all.last_mut()) {
                (Some((name, url)), _) => all.push((Some(name), url.to_owned())),
                (None, Some((_, last))) if !is_new => {
                    last.push(' ');
                    last.push_str(word);
                }
                (None, _) => all.push((None, word.to_owned())),
            }
            is_new = false;
        }
    }
    all
}

/// A word as a name and an address.
fn named(word: &str) -> Option<(&str, &str)> {
    let (name, url) = word.split_once('=')?;
    is_name(name, 32).then_some((name, url))
}

impl WantedService {
    /// Reads `NAMESPACE` or `REDIS:NAMESPACE`.
    ///
    /// # Errors
    /// Where no namespace is named so, or no Redis.
    pub(super) fn read(text: &str, redis: &[NamedRedis]) -> Result<Self, ConfigError> {
        let (of, namespace) = match text.trim().split_once(':') {
            Some((of, namespace)) => (Some(of), namespace),
            None => (None, text.trim()),
        };
        let is_there =
            of.is_none_or(|name| redis.iter().any(|redis| redis.name.as_deref() == Some(name)));
        if !is_name(namespace, 64) || !is_there {
            return Err(ConfigError::Namespace(text.to_owned()));
        }
        Ok(Self { redis: of.map(str::to_owned), namespace: namespace.to_owned() })
    }
}

fn is_name(name: &str, most: usize) -> bool {
    (1..=most).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<NamedRedis>, ConfigError> {
        NamedRedis::read_all(&text.into(), &RedisLogin::default())
    }

    fn names(text: &str) -> Vec<Option<String>> {
        read(text).unwrap().into_iter().map(|redis| redis.name).collect()
    }

    #[test]
    fn one_needs_no_name_and_several_have_their_own() {
        let named =
            |names: &[&str]| names.iter().map(|n| Some((*n).to_owned())).collect::<Vec<_>>();
        assert_eq!(names("redis://h"), [None]);
        assert_eq!(names("eu=redis://h"), named(&["eu"]));
        for both in
            ["eu=redis://h us=unix:/a b/redis.sock", "\neu=redis://h\n\nus=rediss://u:p@g/0\n"]
        {
            assert_eq!(names(both), named(&["eu", "us"]), "{both}");
        }
        for wrong in ["redis://h redis://g", "redis://h\nus=redis://g", "eu=redis://h eu=redis://g"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let queried = "redis://h/?protocol=resp3";
        assert_eq!(names(queried), [None], "that is no name");
    }

    #[test]
    fn a_program_of_one_redis_takes_the_only_one_and_asks_which_of_several() {
        for one in ["redis://h", "eu=redis://h", "\n eu=redis://h \n"] {
            assert_eq!(only(one).as_deref(), Ok("redis://h"), "{one}");
        }
        assert_eq!(only("unix:/a b/redis.sock").as_deref(), Ok("unix:/a b/redis.sock"));
        assert_eq!(only(" off\n").as_deref(), Ok("off"));
        let said = only("eu=redis://:hunter2@h us=redis://g").unwrap_err();
        assert!(said.contains("(eu, us)") && said.contains("choose one"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn no_error_repeats_an_address() {
        for wrong in
            ["eu=http://:hunter2@h", "http://:hunter2@h", "eu=redis://:hunter2@h redis://g"]
        {
            let said = read(wrong).unwrap_err().to_string();
            assert!(said.contains("--redis-url") && !said.contains("hunter2"), "{said}");
        }
        assert!(matches!(read("off"), Err(ConfigError::NoRedis)));
        assert!(matches!(read(" \n"), Err(ConfigError::NoRedis)));
    }

    #[test]
    fn a_service_is_wanted_in_every_redis_or_in_one() {
        let redis = read("eu=redis://h us=redis://g").unwrap();
        let wanted = |text: &str| WantedService::read(text, &redis);
        let shop = |of: Option<&str>| WantedService {
            redis: of.map(str::to_owned),
            namespace: "shop".to_owned(),
        };
        assert_eq!(wanted("shop").unwrap(), shop(None));
        assert_eq!(wanted("eu:shop").unwrap(), shop(Some("eu")));
        for wrong in ["Shop", "", "eu:", "asia:shop", "eu:sh/op", "a:b:c"] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }
}
