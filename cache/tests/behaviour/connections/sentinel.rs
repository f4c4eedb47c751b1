//! Sentinel: the master is asked for at each connect, and followed when another becomes it.

use strata_cache::{Cache, RedisAddress};
use strata_testing::{MASTER, Sentinel};

use super::{hearing_node_at, node_at, says, share, stays_coherent, two_nodes_share};
use crate::support::{Redis, Source, cache, eventually};

struct Watched {
    master: Redis,
    replica: Redis,
    sentinel: Sentinel,
}

impl Watched {
    async fn start(lines: &[&str]) -> Self {
        let master = Redis::start_on_a_port().await;
        let replica = master.replica().await;
        for server in [&master, &replica] {
            let rules = ["ACL", "SETUSER", "watcher", "on", ">secret", "~*", "&*", "+@all"];
            let () = server.ask(&rules).await;
        }
        let sentinel = Sentinel::watching(&master, 1, lines).await;
        Self { master, replica, sentinel }
    }

    fn address(&self) -> RedisAddress {
        RedisAddress::parse(&self.sentinel.url(MASTER)).unwrap()
    }

    /// Makes the replica the master. Sentinel refuses until the replica has caught up.
    async fn fail_over(&self) {
        eventually("Sentinel begins a failover", async || {
            let says = self.sentinel.cli(&["SENTINEL", "FAILOVER", MASTER]).await;
            says == "OK" || says.starts_with("INPROG")
        })
        .await;
        self.has_failed_over().await;
    }

    /// Waits until Sentinel names the server that was the replica.
    async fn has_failed_over(&self) {
        let port = self.replica.port().to_string();
        eventually("the replica is the master", async || {
            let named = self.sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]).await;
            let role = self.replica.cli(&["ROLE"]).await;
            named.contains(&port) && role.starts_with("master")
        })
        .await;
    }

    /// Waits until a cache's entries lie in the new master, although the old one was not demoted.
    async fn is_followed_by(&self, cache: &Cache<u64, String>) {
        let source = Source::new();
        eventually("an entry lies in the new master", async || {
            cache.invalidate(&7).await;
            source.read(cache, 7).await;
            self.replica.ask::<bool>(&["EXISTS", "{test}:users:7"]).await
        })
        .await;
        assert!(self.master.cli(&["ROLE"]).await.starts_with("master"), "nobody demoted it");
    }
}

#[tokio::test]
async fn nodes_share_what_they_cache_on_the_master_that_sentinel_names() {
    let watched = Watched::start(&[]).await;
    two_nodes_share(&watched.address()).await;
    // A Sentinel that is away does not matter while another one answers.
    let url =
        format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/{MASTER}/0", watched.sentinel.port());
    two_nodes_share(&RedisAddress::parse(&url).unwrap()).await;
}

#[tokio::test]
async fn sentinels_have_a_login_of_their_own() {
    let watched = Watched::start(&["requirepass s3ntinel"]).await;
    let () = watched.master.ask(&["CONFIG", "SET", "requirepass", "r3dis"]).await;
    let port = watched.sentinel.port();
    let url = format!("redis+sentinel://:r3dis@127.0.0.1:{port}/{MASTER}");
    let address = RedisAddress::parse(&format!("{url}?sentinel_password=s3ntinel")).unwrap();
    two_nodes_share(&address).await;
    let file = watched.master.dir().join("sentinel-password");
    std::fs::write(&file, "s3ntinel\n").unwrap();
    let by_file = RedisAddress::parse(&url).unwrap().sentinel_password_file(&file);
    two_nodes_share(&by_file).await;
}

#[tokio::test]
async fn a_master_that_was_demoted_is_left_for_its_successor_without_a_lost_connection() {
    let watched = Watched::start(&[]).await;
    let address = watched.address();
    let nodes = [hearing_node_at(&address, "1").await, hearing_node_at(&address, "2").await];
    let [here, there] = nodes.each_ref().map(cache);
    let source = Source::new();
    source.read(&here, 1).await;
    watched.fail_over().await;
    share(&here, &there, 1).await;
    eventually("an entry lies in the new master", async || {
        here.invalidate(&7).await;
        source.read(&here, 7).await;
        watched.replica.ask::<bool>(&["EXISTS", "{test}:users:7"]).await
    })
    .await;
}

/// Sentinel cannot demote it, and its connections stay: only Sentinel's word says that it is over.
#[tokio::test]
async fn a_master_that_sentinel_has_left_is_left_though_it_still_answers() {
    let lines = ["sentinel auth-user main watcher", "sentinel auth-pass main secret"];
    let watched = Watched::start(&lines).await;
    let address = watched.address();
    let nodes = [hearing_node_at(&address, "1").await, hearing_node_at(&address, "2").await];
    let [here, there] = nodes.each_ref().map(cache);
    let source = Source::new();
    source.read(&here, 1).await;
    let () = watched.master.ask(&["ACL", "SETUSER", "watcher", "-@all"]).await;
    watched.has_failed_over().await;
    eventually("an entry lies in the new master", async || {
        here.invalidate(&7).await;
        source.read(&here, 7).await;
        watched.replica.ask::<bool>(&["EXISTS", "{test}:users:7"]).await
    })
    .await;
    share(&here, &there, 1).await;
    assert!(watched.master.cli(&["ROLE"]).await.starts_with("master"), "nobody demoted it");
}

#[tokio::test]
async fn a_master_is_left_though_invalidations_wait_that_it_refuses() {
    let lines = ["sentinel auth-user main watcher", "sentinel auth-pass main secret"];
    let watched = Watched::start(&lines).await;
    let node = hearing_node_at(&watched.address(), "1").await;
    let here = cache(&node);
    // More than there are: each write is refused.
    let () = watched.master.ask(&["CONFIG", "SET", "min-replicas-to-write", "2"]).await;
    eventually("an invalidation waits", async || {
        here.invalidate(&7).await;
        node.report().l2.queued_invalidations > 0
    })
    .await;
    let () = watched.master.ask(&["ACL", "SETUSER", "watcher", "-@all"]).await;
    watched.has_failed_over().await;
    eventually("it is sent to the new master", async || node.report().l2.queued_invalidations == 0)
        .await;
    watched.is_followed_by(&here).await;
}

#[tokio::test]
async fn another_sentinel_tells_of_the_new_master_where_the_one_that_was_asked_is_gone() {
    let lines = ["sentinel auth-user main watcher", "sentinel auth-pass main secret"];
    let mut watched = Watched::start(&lines).await;
    let second = Sentinel::watching(&watched.master, 1, &lines).await;
    let first = std::mem::replace(&mut watched.sentinel, second);
    let (first_port, second_port) = (first.port(), watched.sentinel.port());
    let url = format!("redis+sentinel://127.0.0.1:{first_port},127.0.0.1:{second_port}/{MASTER}");
    let node = hearing_node_at(&RedisAddress::parse(&url).unwrap(), "1").await;
    drop(first);
    let () = watched.master.ask(&["ACL", "SETUSER", "watcher", "-@all"]).await;
    // Alone it has no majority.
    watched.fail_over().await;
    watched.is_followed_by(&cache(&node)).await;
}

#[tokio::test]
async fn a_wrong_password_of_the_sentinels_is_told_as_theirs() {
    let watched = Watched::start(&["requirepass s3ntinel"]).await;
    let url = format!("{}?sentinel_password=hunter2", watched.sentinel.url(MASTER));
    let node = node_at(&RedisAddress::parse(&url).unwrap(), "1").await;
    let said = format!("127.0.0.1:{}: the Sentinel refuses", watched.sentinel.port());
    says(&node, "SENTINEL", &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_when_the_master_dies() {
    let mut watched = Watched::start(&[]).await;
    let address = watched.address();
    stays_coherent(&address, async {
        tokio::time::sleep(super::PATIENCE / 2).await;
        watched.master.kill();
        watched.has_failed_over().await;
        tokio::time::sleep(super::PATIENCE / 2).await;
    })
    .await;
    two_nodes_share(&address).await;
}
