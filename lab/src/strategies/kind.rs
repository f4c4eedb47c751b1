use serde::{Deserialize, Serialize};

// One line for each strategy: its kind, its name in addresses, its name on a screen, its file.
macro_rules! kinds {
    ($($kind:ident: $name:literal, $title:literal, $file:literal;)*) => {
        /// Which strategy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum StrategyKind {
            $($kind,)*
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

            /// The file that runs, in `demo/src/strategies`.
            pub const fn file_name(self) -> &'static str {
                match self {
                    $(Self::$kind => $file,)*
                }
            }

            /// The file that runs, as it is.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => include_str!($file),)*
                }
            }
        }
    };
}

kinds! {
    NoCache: "no-cache", "No cache", "no_cache.rs";
    CacheAside: "cache-aside", "Cache-aside", "cache_aside.rs";
    FillByHand: "fill-by-hand", "Look, load, set by hand", "fill_by_hand.rs";
    ReadThrough: "read-through", "Read-through", "read_through.rs";
    Repository: "repository", "Repository", "repository.rs";
    DecisionCached: "decision-cached", "Decision inside the load", "decision_cached.rs";
    WriteThrough: "write-through", "Write-through", "write_through.rs";
    SetAfterWrite: "set-after-write", "Set after the write", "set_after_write.rs";
    WriteBehind: "write-behind", "Write-behind in memory", "write_behind.rs";
    DurableWriteBehind: "durable-write-behind", "Write-behind, durable", "durable_write_behind.rs";
    WaitForExpiry: "wait-for-expiry", "Nobody invalidates", "wait_for_expiry.rs";
    ForgetFirst: "forget-first", "Forget before the commit", "forget_first.rs";
    L1First: "l1-first", "L1 before L2", "l1_first.rs";
    TellNobody: "tell-nobody", "No other node is told", "tell_nobody.rs";
    ForgetfulChannel: "forgetful-channel", "A channel that forgets", "forgetful_channel.rs";
    Pattern: "pattern", "Invalidation by pattern", "pattern.rs";
    PatternInRedis: "pattern-in-redis", "Pattern in Redis alone", "pattern_in_redis.rs";
    Tags: "tags", "Invalidation by tag", "tags.rs";
    AllPages: "all-pages", "All pages, by pattern", "all_pages.rs";
    OnePage: "one-page", "One page, by its key", "one_page.rs";
    ForgetFound: "forget-found", "Forget only what is there", "forget_found.rs";
    Batch: "batch", "Batch reads", "batch.rs";
    LruByHand: "lru-by-hand", "Textbook LRU", "lru_by_hand.rs";
    RedisByHand: "redis-by-hand", "Redis by hand, errors ignored", "redis_by_hand.rs";
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
