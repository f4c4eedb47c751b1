//! One node that obeys its standard input, one command a line, and answers each with a line. Its
//! source is a folder with a file for each key.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use strata_cache::{Cache, Node, Pattern};
use tokio::io::{AsyncBufReadExt, BufReader};

struct Place {
    node: Node,
    cache: Cache<u64, String>,
    rows: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let redis_url = arguments.next().ok_or("the address of Redis is missing")?;
    let rows = PathBuf::from(arguments.next().ok_or("the folder of rows is missing")?);
    let node = Node::builder("test").id("previous").redis_url(&redis_url);
    let node = node.l2_timeout(Duration::from_secs(1)).start().await?;
    let cache = Cache::builder("users").time_to_live(Duration::from_secs(3_600)).build(&node)?;
    let place = Place { node, cache, rows };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{}", place.act(&line).await?);
    }
    Ok(())
}

impl Place {
    async fn act(&self, line: &str) -> Result<String, Box<dyn std::error::Error>> {
        let (what, about) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match what {
            "read" => {
                let file = self.rows.join(about);
                let load = || async move { tokio::task::spawn_blocking(|| row(file)).await? };
                let read = self.cache.get_or_load(&about.parse()?, load).await?;
                let value = read.value.as_deref().cloned().unwrap_or_default();
                format!("{value} {}", read.outcome.as_str())
            }
            "invalidate" => format!("{:?}", self.cache.invalidate(&about.parse()?).await),
            "pattern" => format!("{:?}", self.cache.invalidate_pattern(&Pattern::parse(about)?).await),
            "tag" => format!("{:?}", self.cache.invalidate_tag(about).await),
            "clear" => format!("{:?}", self.cache.clear().await),
            "sequence" => self.node.bus_sequence().await.unwrap_or(0).to_string(),
            "heard" => self.node.has_heard(about.parse()?, Duration::from_secs(10)).await.to_string(),
            "gaps" => self.node.report().bus.gaps.to_string(),
            "connected" => self.node.report().bus.connected.to_string(),
            _ => return Err(format!("no such command: {line}").into()),
        })
    }
}

fn row(file: PathBuf) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}
