//! TLS where nobody has given rustls a provider. Built without one, and each test is a process.

use strata_cache::doctor::{Verdict, examine_at};
use strata_cache::{Cache, RedisAddress};
use strata_testing::{Authority, RedisServer, Validity};

use super::{node_at, says};

#[tokio::test]
async fn without_a_provider_of_rustls_the_node_says_so_and_goes_on_with_l1() {
    let authority = Authority::new();
    let files = authority.sign("server", &["localhost"], Validity::Lasts);
    let redis =
        RedisServer::start_with_tls(&authority, &files, &["--tls-auth-clients", "no"]).await;
    let address = RedisAddress::parse(&redis.tls_url("localhost")).unwrap();
    let address = address.ca_file(authority.file());
    let node = node_at(&address, "1").await;
    says(&node, "TLS", "rustls has no provider").await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let load = async || Ok::<_, std::io::Error>(Some("Ann".to_owned()));
    assert!(users.get_or_load(&1, load).await.unwrap().value.is_some());
    assert!(node.report().tasks.iter().all(|task| task.runs()), "{:?}", node.report().tasks);
    let diagnosis = examine_at(&address, None).await.unwrap();
    assert_eq!(diagnosis.verdict(), Verdict::Fails);
    assert!(diagnosis.findings[0].seen.contains("install_default"), "{diagnosis:#?}");
}
