use serde::{Deserialize, Serialize};
use strata_cache::{BuildError, LoadError, Read};
use strata_demo::Item;

use super::invalidating::{all_pages, forget_found, one_page, pattern, pattern_in_redis, tags};
use super::reading::{
    batch, cache_aside, decision_cached, fill_by_hand, lru_by_hand, no_cache, read_through,
    redis_by_hand, repository,
};
use super::two_levels::{LevelsByHand, forgetful_channel, l1_first, tell_nobody};
use super::writing::{
    durable_write_behind, forget_first, set_after_write, wait_for_expiry, write_behind,
    write_through,
};
use super::{ChangeError, StrategyContext};

// A strategy is one row: kind and type, the folder and the module whose file is shown, name in
// addresses, title on a screen, and how it is built. A strategy that finds no Redis and needs it
// builds to `None`.
macro_rules! strategies {
    (
        $($kind:ident($folder:ident::$module:ident::$type:ident)
            $name:literal, $title:literal: $build:expr;)*
    ) => {
        /// Which strategy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StrategyKind {
            $($kind,)*
        }

        /// A strategy at work on one node. Cheap to clone.
        #[derive(Clone)]
        pub enum Strategy {
            $($kind($module::$type),)*
        }

        impl StrategyKind {
            /// All of them, the mistakes after what they are compared with.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its name in addresses.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Its name on a screen.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)*
                }
            }

            /// The file that runs, in `lab/src/strategies`.
            pub const fn file_name(self) -> &'static str {
                match self {
                    $(Self::$kind => {
                        concat!(stringify!($folder), "/", stringify!($module), ".rs")
                    })*
                }
            }

            /// The file that runs, as it is.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => {
                        include_str!(concat!(stringify!($folder), "/", stringify!($module), ".rs"))
                    })*
                }
            }
        }

        impl Strategy {
            /// Builds a strategy. `None` where it needs Redis and there is none.
            pub(crate) fn build(
                kind: StrategyKind,
                context: StrategyContext,
            ) -> Result<Option<Self>, BuildError> {
                match kind {
                    $(StrategyKind::$kind => {
                        let build: fn(StrategyContext) -> Result<Option<$module::$type>, BuildError>
                            = $build;
                        Ok(build(context)?.map(Self::$kind))
                    })*
                }
            }

            /// Reads an item as the strategy does.
            pub(crate) async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
                match self {
                    $(Self::$kind(strategy) => strategy.read(id).await,)*
                }
            }

            /// Changes an item as the strategy does. Once it returns, the write is acknowledged.
            pub(crate) async fn write(&self, item: Item) -> Result<(), ChangeError> {
                match self {
                    $(Self::$kind(strategy) => strategy.write(item).await,)*
                }
            }
        }
    };
}

strategies! {
    NoCache(reading::no_cache::NoCache) "no-cache", "No cache":
        |with| Ok(Some(no_cache::NoCache { cache: with.cache, source: with.source }));
    CacheAside(reading::cache_aside::CacheAside) "cache-aside", "Cache-aside":
        |with| Ok(Some(cache_aside::CacheAside { cache: with.cache, source: with.source }));
    FillByHand(reading::fill_by_hand::FillByHand) "fill-by-hand", "Look, load, set by hand":
        |with| Ok(Some(fill_by_hand::FillByHand { cache: with.cache, source: with.source }));
    ReadThrough(reading::read_through::ReadThrough) "read-through", "Read-through":
        |with| Ok(Some(read_through::ReadThrough::new(with.cache, with.source)));
    Repository(reading::repository::Repository) "repository", "Repository":
        |with| Ok(Some(repository::Repository::new(with.cache, with.source)));
    DecisionCached(reading::decision_cached::DecisionCached)
        "decision-cached", "Decision inside the load":
        |with| Ok(Some(decision_cached::DecisionCached { cache: with.cache, source: with.source }));
    WriteThrough(writing::write_through::WriteThrough) "write-through", "Write-through":
        |with| Ok(Some(write_through::WriteThrough { cache: with.cache, source: with.source }));
    SetAfterWrite(writing::set_after_write::SetAfterWrite) "set-after-write", "Set after the write":
        |with| Ok(Some(set_after_write::SetAfterWrite { cache: with.cache, source: with.source }));
    WriteBehind(writing::write_behind::WriteBehindInMemory)
        "write-behind", "Write-behind in memory":
        |with| write_behind::WriteBehindInMemory::new(&with.cache, with.source, with.flush_every)
            .map(Some);
    DurableWriteBehind(writing::durable_write_behind::DurableWriteBehind)
        "durable-write-behind", "Write-behind, durable":
        |with| durable_write_behind::DurableWriteBehind::new(
            &with.cache, with.source, with.flush_every,
        ).map(Some);
    WaitForExpiry(writing::wait_for_expiry::WaitForExpiry) "wait-for-expiry", "Nobody invalidates":
        |with| Ok(Some(wait_for_expiry::WaitForExpiry { cache: with.cache, source: with.source }));
    ForgetFirst(writing::forget_first::ForgetFirst) "forget-first", "Forget before the commit":
        |with| Ok(Some(forget_first::ForgetFirst { cache: with.cache, source: with.source }));
    L1First(two_levels::l1_first::L1First) "l1-first", "L1 before L2":
        |with| Ok(levels_by_hand(with).map(|levels| l1_first::L1First { levels }));
    TellNobody(two_levels::tell_nobody::TellNobody) "tell-nobody", "No other node is told":
        |with| Ok(levels_by_hand(with).map(|levels| tell_nobody::TellNobody { levels }));
    ForgetfulChannel(two_levels::forgetful_channel::ForgetfulChannel)
        "forgetful-channel", "A channel that forgets":
        |StrategyContext { cache: l1, source, redis, channel, .. }| Ok(redis.map(|redis| {
            let levels = LevelsByHand { l1, redis, source };
            forgetful_channel::ForgetfulChannel::new(levels, channel)
        }));
    Pattern(invalidating::pattern::ByPattern) "pattern", "Invalidation by pattern":
        |with| Ok(Some(pattern::ByPattern { cache: with.cache, source: with.source }));
    PatternInRedis(invalidating::pattern_in_redis::ByPatternInRedis)
        "pattern-in-redis", "Pattern in Redis alone":
        |StrategyContext { node, cache, source, redis, .. }| Ok(redis.map(|redis| {
            pattern_in_redis::ByPatternInRedis { node, cache, redis, source }
        }));
    Tags(invalidating::tags::ByTag) "tags", "Invalidation by tag":
        |with| Ok(Some(tags::ByTag { cache: with.cache, source: with.source }));
    AllPages(invalidating::all_pages::AllPages) "all-pages", "All pages, by pattern":
        |with| Ok(Some(all_pages::AllPages { cache: with.cache, source: with.source }));
    OnePage(invalidating::one_page::OnePage) "one-page", "One page, by its key":
        |with| Ok(Some(one_page::OnePage { cache: with.cache, source: with.source }));
    ForgetFound(invalidating::forget_found::ForgetFound)
        "forget-found", "Forget only what is there":
        |with| Ok(Some(forget_found::ForgetFound { cache: with.cache, source: with.source }));
    Batch(reading::batch::Batch) "batch", "Batch reads":
        |with| Ok(Some(batch::Batch { cache: with.cache, source: with.source }));
    LruByHand(reading::lru_by_hand::LruByHand) "lru-by-hand", "Textbook LRU":
        |with| Ok(Some(lru_by_hand::LruByHand::new(with.l1_entries, with.source)));
    RedisByHand(reading::redis_by_hand::RedisByHand)
        "redis-by-hand", "Redis by hand, errors ignored":
        |with| {
            let redis = with.node.structures(&format!("{}-data", with.cache.name()))?;
            Ok(Some(redis_by_hand::RedisByHand { redis, source: with.source }))
        };
}

fn levels_by_hand(with: StrategyContext) -> Option<LevelsByHand> {
    let StrategyContext { cache: l1, source, redis, .. } = with;
    Some(LevelsByHand { l1, redis: redis?, source })
}

impl StrategyKind {
    /// The strategy of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Whether it makes no sense without Redis.
    pub const fn needs_redis(self) -> bool {
        matches!(self, Self::RedisByHand | Self::DurableWriteBehind | Self::PatternInRedis)
            || self.has_l2_by_hand()
    }

    /// Whether its cache is L1 alone, and it looks after Redis itself.
    pub(crate) const fn has_l2_by_hand(self) -> bool {
        matches!(self, Self::L1First | Self::TellNobody | Self::ForgetfulChannel)
    }

    /// Whether it reads pages, each made from several items.
    pub(crate) const fn reads_pages(self) -> bool {
        matches!(self, Self::Tags | Self::AllPages | Self::OnePage)
    }
}
