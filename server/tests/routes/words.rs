//! What people read is written in the words of the field.

use std::fs;
use std::path::Path;

/// What pages, messages and templates are made of.
const WRITTEN_IN: [&str; 12] = [
    "app/src",
    "app/scripts",
    "console/src",
    "dashboard/src",
    "demo/src",
    "docs/lessons",
    "docs/monitoring",
    "lab/src",
    "prometheus/src",
    "report/src",
    "server/src",
    "README.md",
];

/// Figures of speech that a tired reader would have to guess, and what they mean.
const OLD: [(&str, &str); 28] = [
    ("How each node is", "node health"),
    ("deaf to the bus", "not receiving invalidations"),
    ("their ear on the bus", "the nodes' connection to the bus"),
    ("Each node's way to it", "connection to Redis, per node"),
    ("Whose keys", "memory by cache"),
    ("of them waiting", "blocked clients"),
    ("hits of gets", "hit ratio"),
    ("refused by a fence", "rejected: an invalidation came first"),
    ("unreadable or unfit", "could not be decoded"),
    ("turned away", "not admitted"),
    ("left for size", "evicted (size)"),
    ("waited for another's", "waited for a running load"),
    ("loading it all again", "cost of reloading"),
    ("fields are as for all", "empty = the common value"),
    ("– nobody –", "none"),
    ("Made up from the seed", "generated"),
    ("0 all alike", "0 uniform"),
    ("1 as on the web", "1 typical of the web"),
    ("half forgotten in", "weighted to the last"),
    ("who has its link finds it", "only people with the link"),
    ("inflicted ", "fault"),
    ("Single keys act", "single-key shortcuts: on"),
    ("that is the limit, and there is more", "first 1 000 of more"),
    ("errors ignored plays", "step 2 is running"),
    ("Nobody waited for this", "in the background"),
    ("Nothing was searched yet", "search for keys"),
    ("its keys look different", "keys are numbers, for example 4711"),
    ("% more of its reads", "39 % instead of 26 %"),
];

/// All that is written in a file or folder, without comments.
fn written(path: &Path) -> Vec<(String, String)> {
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return inside.flat_map(|path| written(&path)).collect();
    }
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    vec![(path.display().to_string(), lines.collect::<Vec<_>>().join("\n"))]
}

#[test]
fn no_page_template_or_message_has_a_figure_of_speech_that_must_be_guessed() {
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let files: Vec<_> = WRITTEN_IN.iter().flat_map(|part| written(&project.join(part))).collect();
    assert!(files.len() > 300, "{}", files.len());
    for (file, text) in &files {
        for (old, plain) in OLD {
            assert!(!text.contains(old), "{file}: {old:?}; say: {plain}");
        }
    }
}
