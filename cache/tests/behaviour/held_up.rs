//! A read and an invalidation, each held up between any two of its steps, in every combination.
//! Whichever is released first, no read that starts after the invalidation sees the older value.

use std::io::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strata_cache::holds::{Hold, Side, Step};
use strata_cache::{Cache, Loaded, Node, Pattern};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Redis, Source};

const PATIENCE: Duration = Duration::from_secs(10);

/// The steps of a read, in order. Its load comes between the second and the third.
const COLD: [Step; 3] = [Step::Get, Step::Acquire, Step::Commit];

/// A read that finds an expired entry, takes its place, and fails to load.
const EXPIRED: [Step; 4] = [Step::Get, Step::Acquire, Step::Claim, Step::Commit];

const SIDES: [Side; 2] = [Side::Before, Side::After];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Key,
    Keys,
    Pattern,
    Clear,
    Tag,
    Write,
}

const KINDS: [Kind; 6] =
    [Kind::Key, Kind::Keys, Kind::Pattern, Kind::Clear, Kind::Tag, Kind::Write];

impl Kind {
    fn steps(self) -> &'static [Step] {
        match self {
            Self::Key | Self::Keys => &[Step::Remove],
            Self::Pattern | Self::Clear => &[Step::RemoveSome, Step::Announce],
            Self::Tag => &[Step::InvalidateTag],
            Self::Write => &[Step::Seize, Step::Replace],
        }
    }
}

/// Two nodes, a source, and a fresh key for each combination.
struct Stage {
    redis: Redis,
    node: Node,
    other: Node,
    next_key: AtomicU64,
}

/// One combination: its key, its row, and the caches of both nodes.
#[derive(Clone)]
struct Scene {
    key: u64,
    source: Source,
    here: Cache<u64, String>,
    there: Cache<u64, String>,
}

impl Stage {
    async fn new() -> Self {
        let redis = Redis::start().await;
        let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
        Self { redis, node, other, next_key: AtomicU64::new(1) }
    }

    fn caches(&self, time_to_live: Duration) -> [Cache<u64, String>; 2] {
        [&self.node, &self.other].map(|node| {
            let cache = Cache::builder("users").l2_time_to_live(time_to_live);
            cache.grace(Duration::from_secs(60)).build(node).unwrap()
        })
    }

    fn scene(&self, [here, there]: &[Cache<u64, String>; 2]) -> Scene {
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        Scene { key, source: Source::new(), here: here.clone(), there: there.clone() }
    }

    fn hold(&self, step: Step, side: Side) -> Hold {
        self.node.holds().hold(step, side)
    }

    /// Asserts that no level of any node has the older value.
    async fn assert_new(&self, scene: &Scene, combination: &str) {
        assert_eq!(scene.read().await, "7", "{combination}");
        let sequence = self.node.bus_sequence().await.unwrap();
        assert!(self.other.has_heard(sequence, PATIENCE).await, "{combination}");
        assert_eq!(value(&scene.there, scene).await, "7", "{combination}, on the other node");
    }
}

impl Scene {
    async fn read(&self) -> String {
        value(&self.here, self).await
    }

    fn reading(&self) -> JoinHandle<String> {
        let scene = self.clone();
        tokio::spawn(async move { scene.read().await })
    }

    /// Changes the row, then invalidates it.
    fn changing(&self, kind: Kind) -> JoinHandle<()> {
        let Self { key, source, here, .. } = self.clone();
        tokio::spawn(async move {
            if !matches!(kind, Kind::Write) {
                source.write(7);
            }
            match kind {
                Kind::Key => drop(here.invalidate(&key).await),
                Kind::Keys => drop(here.invalidate_many(&[key, key + 1_000_000]).await),
                Kind::Pattern => {
                    let pattern = Pattern::parse(&format!("{key}*")).unwrap();
                    here.invalidate_pattern(&pattern).await;
                }
                Kind::Clear => drop(here.clear().await),
                Kind::Tag => drop(here.invalidate_tag(&tag(key)).await),
                Kind::Write => {
                    let write = async move {
                        source.write(7);
                        Ok::<_, Error>(Loaded::from("7".to_owned()).tags([tag(key)]))
                    };
                    here.write_through_entry(&key, write).await.unwrap();
                }
            }
        })
    }
}

fn tag(key: u64) -> String {
    format!("tag:{key}")
}

async fn value(cache: &Cache<u64, String>, scene: &Scene) -> String {
    let (key, source) = (scene.key, scene.source.clone());
    let load = async move || {
        Ok::<_, Error>(source.load().await?.map(|row| Loaded::from(row).tags([tag(key)])))
    };
    let read = timeout(PATIENCE, cache.get_or_load_entry(&key, load)).await;
    read.expect("the read ends").unwrap().value.unwrap().as_ref().clone()
}

async fn arrives(hold: &Hold, combination: &str) {
    assert!(timeout(PATIENCE, hold.arrived()).await.is_ok(), "{combination}: not held");
}

async fn ends<T>(running: JoinHandle<T>, combination: &str) -> T {
    let ended = timeout(PATIENCE, running).await;
    assert!(ended.is_ok(), "{combination}: does not end");
    ended.unwrap().unwrap()
}

#[tokio::test]
async fn an_invalidation_overtakes_a_read_that_is_held_up_anywhere() {
    let stage = Stage::new().await;
    let caches = stage.caches(Duration::from_secs(60));
    for step in COLD {
        for side in SIDES {
            for kind in KINDS {
                let combination = format!("{kind:?} while a read stands {side:?} {step:?}");
                let scene = stage.scene(&caches);
                let hold = stage.hold(step, side);
                let reading = scene.reading();
                arrives(&hold, &combination).await;
                ends(scene.changing(kind), &combination).await;
                drop(hold);
                ends(reading, &combination).await;
                stage.assert_new(&scene, &combination).await;
            }
        }
    }
}

#[tokio::test]
async fn reads_go_on_while_an_invalidation_is_held_up_anywhere() {
    let stage = Stage::new().await;
    let caches = stage.caches(Duration::from_secs(60));
    for kind in KINDS {
        for step in kind.steps() {
            for side in SIDES {
                let combination = format!("a read while {kind:?} stands {side:?} {step:?}");
                let scene = stage.scene(&caches);
                scene.read().await;
                let hold = stage.hold(*step, side);
                let changing = scene.changing(kind);
                arrives(&hold, &combination).await;
                scene.read().await;
                value(&scene.there, &scene).await;
                drop(hold);
                ends(changing, &combination).await;
                stage.assert_new(&scene, &combination).await;
            }
        }
    }
}

#[tokio::test]
async fn of_a_read_and_an_invalidation_that_are_both_held_up_either_may_go_first() {
    let stage = Stage::new().await;
    let caches = stage.caches(Duration::from_secs(60));
    for (read, kind, read_first) in every_pair() {
        for read_side in SIDES {
            for (step, side) in kind.steps().iter().flat_map(|step| SIDES.map(|side| (step, side)))
            {
                let combination = format!(
                    "a read {read_side:?} {read:?}, {kind:?} {side:?} {step:?}, {read_first:?}"
                );
                let scene = stage.scene(&caches);
                let read_hold = stage.hold(read, read_side);
                let reading = scene.reading();
                arrives(&read_hold, &combination).await;
                let hold = stage.hold(*step, side);
                let changing = scene.changing(kind);
                arrives(&hold, &combination).await;
                match read_first {
                    First::Read => {
                        drop(read_hold);
                        ends(reading, &combination).await;
                        drop(hold);
                        ends(changing, &combination).await;
                    }
                    First::Change => {
                        drop(hold);
                        ends(changing, &combination).await;
                        drop(read_hold);
                        ends(reading, &combination).await;
                    }
                }
                stage.assert_new(&scene, &combination).await;
            }
        }
    }
}

/// The source fails during an invalidation. The claimed entry must not come back.
#[tokio::test]
async fn what_a_failed_load_gives_back_does_not_outlive_an_invalidation() {
    let stage = Stage::new().await;
    let caches = stage.caches(Duration::from_millis(1));
    for step in EXPIRED.into_iter().chain([Step::Release]) {
        for side in SIDES {
            for kind in [Kind::Key, Kind::Pattern, Kind::Tag] {
                let combination = format!("{kind:?} while a read stands {side:?} {step:?}");
                let scene = stage.scene(&caches);
                scene.read().await;
                tokio::time::sleep(Duration::from_millis(2)).await;
                let hold = stage.hold(step, side);
                let failing = tokio::spawn({
                    let (cache, key) = (scene.here.clone(), scene.key);
                    let down = async || Err::<Option<String>, _>(Error::other("down"));
                    async move { drop(cache.get_or_load(&key, down).await) }
                });
                arrives(&hold, &combination).await;
                ends(scene.changing(kind), &combination).await;
                drop(hold);
                ends(failing, &combination).await;
                stage.assert_new(&scene, &combination).await;
            }
        }
    }
    drop(stage.redis);
}

#[derive(Clone, Copy, Debug)]
enum First {
    Read,
    Change,
}

fn every_pair() -> impl Iterator<Item = (Step, Kind, First)> {
    COLD.into_iter().flat_map(|step| {
        KINDS
            .into_iter()
            .flat_map(move |kind| [First::Read, First::Change].map(|first| (step, kind, first)))
    })
}
