//! A cache's page: the page itself, and one file a card.

mod entries;
mod evictions;
mod groups;
mod head;
mod keys;
mod latency;
mod levels;
mod outcomes;
mod page;
mod settings;
mod view;
mod what_if;
mod writes;

pub(crate) use page::page;
