use std::path::Path;

use strata_console::ExpectedNodes;

use super::{
    ConfigError, DemoFlags, NamedRedis, Secret, ServeFlags, Settings, WantedService, file, secrets,
};

// No `Debug`: it holds tokens and keys, and addresses that may hold passwords.
/// What `strata serve` runs with, after flags, variables and file have been put together.
#[derive(Clone)]
pub struct ServeSettings {
    /// What every program with a dashboard has. What concerns the demo alone is left as it is.
    pub common: Settings,
    /// In which Redis services are looked for; one at least.
    pub redis: Vec<NamedRedis>,
    /// The services to show; none is all that nodes announce.
    pub wanted: Vec<WantedService>,
    /// The key that the nodes share.
    pub fleet_key: Option<Secret>,
    /// How many nodes there should be.
    pub expected: Vec<ExpectedNodes>,
}

impl ServeSettings {
    /// As [`Settings::resolve`]. Options of the demo in the file say nothing here.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn resolve(flags: ServeFlags, path: &Path) -> Result<Self, ConfigError> {
        let mut all = DemoFlags::from(flags).or(file::read(path)?);
        let namespaces = all.namespace.take().unwrap_or_default();
        let expect = all.expect.take().unwrap_or_default();
        let fleet_key = secrets::fleet_key(all.fleet_key.take(), all.fleet_key_file.take())?;
        let urls = secrets::redis_urls(all.redis_url.take(), all.redis_url_file.take())?;
        let common = Settings::of(all.of_a_dashboard())?;
        let redis = NamedRedis::read_all(&urls, &common.redis_login)?;
        let wanted = namespaces.iter().map(|text| WantedService::read(text, &redis));
        let wanted = wanted.collect::<Result<_, _>>()?;
        let expected = expect.into_iter().map(expected).collect::<Result<_, _>>()?;
        Ok(Self { common, redis, wanted, fleet_key, expected })
    }
}

fn expected(text: String) -> Result<ExpectedNodes, ConfigError> {
    let read = text.rsplit_once('=').and_then(|(app, nodes)| {
        let nodes: u64 = nodes.trim().parse().ok().filter(|nodes| (1..=10_000).contains(nodes))?;
        let app = app.trim();
        (!app.is_empty()).then(|| ExpectedNodes { app: app.to_owned(), nodes })
    });
    read.ok_or(ConfigError::Expect(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn resolved(flags: ServeFlags, file: &str) -> Result<ServeSettings, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("strata.toml");
        fs::write(&path, file).unwrap();
        ServeSettings::resolve(flags, &path)
    }

    fn with_redis() -> ServeFlags {
        let redis_url = Some(vec!["redis://127.0.0.1".into()]);
        ServeFlags { redis_url, ..ServeFlags::default() }
    }

    #[test]
    fn one_file_serves_the_demo_and_what_watches_services() {
        let file = "nodes = 3\ntrace = '/nosuch'\nnamespace = 'shop'\nexpect = ['shop-api=6']\nfleet-key = 'k'\n";
        let settings = resolved(with_redis(), file).unwrap();
        let names = |settings: ServeSettings| -> Vec<_> {
            settings.wanted.into_iter().map(|wanted| wanted.namespace).collect()
        };
        assert_eq!(names(settings.clone()), ["shop"]);
        assert_eq!(settings.expected, [ExpectedNodes { app: "shop-api".to_owned(), nodes: 6 }]);
        assert_eq!(settings.fleet_key.as_ref().map(Secret::reveal), Some("k"));
        let flags = ServeFlags { namespace: Some(vec!["other".to_owned()]), ..with_redis() };
        assert_eq!(names(resolved(flags, file).unwrap()), ["other"]);
        let several =
            "namespace = ['shop', 'blog']\nredis-url = ['eu=redis://h', 'us=redis://g']\n";
        let settings = resolved(ServeFlags::default(), several).unwrap();
        assert_eq!(settings.redis.len(), 2);
        assert_eq!(names(settings), ["shop", "blog"]);
    }

    #[test]
    fn nodes_are_added_up_in_metrics_unless_somebody_wants_each() {
        assert!(!resolved(with_redis(), "").unwrap().common.metrics_per_node);
        assert!(resolved(with_redis(), "metrics-per-node = true").unwrap().common.metrics_per_node);
    }

    #[test]
    fn without_a_redis_or_with_names_and_numbers_that_are_none_it_does_not_start() {
        fn failure(flags: ServeFlags, file: &str) -> String {
            resolved(flags, file).err().unwrap().to_string()
        }
        assert!(failure(ServeFlags::default(), "").contains("--redis-url"));
        assert!(failure(ServeFlags::default(), "redis-url = 'off'").contains("--redis-url"));
        assert!(failure(with_redis(), "namespace = 'Shop'").contains("Shop"));
        for expect in ["shop", "shop=", "shop=x", "=3", "shop=0"] {
            let file = format!("expect = ['{expect}']");
            assert!(failure(with_redis(), &file).contains("NAME=N"), "{expect}");
        }
    }

    #[test]
    fn a_key_of_the_fleet_comes_from_a_file_as_well_and_never_from_two_places() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "a long random text\n").unwrap();
        let flags = ServeFlags { fleet_key_file: Some(path), ..with_redis() };
        let read = resolved(flags.clone(), "").unwrap().fleet_key;
        assert_eq!(read.as_ref().map(Secret::reveal), Some("a long random text"));
        let flags = ServeFlags { fleet_key: Some("another".into()), ..flags };
        assert!(resolved(flags, "").is_err());
    }
}
