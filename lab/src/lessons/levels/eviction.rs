use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const N_HOT: u64 = 80;
const N_ROUNDS: usize = 10;
const L1_BYTES: u64 = 128 * 1_024;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "eviction",
    title: "Eviction and admission",
    idea: [
        "L1 is full, and one more item comes in: which one has to go?",
        "A textbook LRU always lets the newcomer in, and drops what was not read for longest.",
        "Admission first asks whether the newcomer is read more often than what would have to go.",
    ],
    question: Question {
        text: "L1 has room for 100 items, and 80 of them are read all the time. A nightly job then \
               reads 220 others, once each. How many of the 80 does a textbook LRU still have?",
        answers: &["All 80", "About half", "None"],
        right: 2,
    },
    watch_for: "Queries: 300 are the first reads of all items, what is above them was read before \
                and lost. Then the bytes that L1 holds.",
    learned: "One scan empties a textbook LRU of all that is popular. Admission by frequency keeps \
              most of it. A bound in entries says nothing about memory: larger items take more. A \
              bound in bytes holds, and then fewer large items fit.",
    variants: &[
        Variant { title: "Textbook LRU, by entries", ..Variant::of(StrategyKind::LruByHand) },
        Variant { title: "Admission, by entries", ..Variant::of(StrategyKind::CacheAside) },
        Variant {
            title: "Admission, 128 KiB",
            change: |settings| settings.l1_bytes = L1_BYTES,
            ..Variant::of(StrategyKind::CacheAside)
        },
    ],
    settings: || Settings {
        requests: 0,
        items: 300,
        item_bytes: 2_000,
        l1_entries: 100,
        time_to_live_ms: 600_000,
        l2_time_to_live_ms: 0,
        source_delay_ms: 0,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let n_items = sandbox.settings().items;
    let n_hot = N_HOT.min(n_items);
    sandbox.step("The popular items are read ten times.").await?;
    for _ in 0..N_ROUNDS {
        read_all(&sandbox, 1..=n_hot).await?;
    }

    sandbox.step("A nightly job reads every other item, once each.").await?;
    read_all(&sandbox, n_hot + 1..=n_items).await?;

    sandbox.step("The popular items are read again.").await?;
    read_all(&sandbox, 1..=n_hot).await
}

async fn read_all(sandbox: &Sandbox, ids: impl Iterator<Item = u64>) -> Result<(), SandboxError> {
    for id in ids {
        sandbox.read(1, id).await?;
    }
    Ok(())
}
