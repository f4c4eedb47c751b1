//! TLS: what is trusted, and what is said where it is not.

use strata_cache::doctor::{Verdict, examine_at};
use strata_cache::{Node, RedisAddress};
use strata_testing::{Authority, RedisServer, Validity};

use super::{node_at, says, stays_coherent, two_nodes_share};

const PLAIN_CLIENTS: [&str; 2] = ["--tls-auth-clients", "no"];

struct Secured {
    authority: Authority,
    redis: RedisServer,
}

impl Secured {
    async fn start(options: &[&str]) -> Self {
        Self::with_certificate(&["localhost", "127.0.0.1"], Validity::Lasts, options).await
    }

    async fn with_certificate(names: &[&str], validity: Validity, options: &[&str]) -> Self {
        let authority = Authority::new();
        let files = authority.sign("server", names, validity);
        let redis = RedisServer::start_with_tls(&authority, &files, options).await;
        Self { authority, redis }
    }

    fn address(&self) -> RedisAddress {
        let address = RedisAddress::parse(&self.redis.tls_url("localhost")).unwrap();
        address.ca_file(self.authority.file())
    }
}

#[tokio::test]
async fn nodes_share_what_they_cache_by_tls() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    two_nodes_share(&secured.address()).await;
    let by_address = RedisAddress::parse(&secured.redis.tls_url("127.0.0.1")).unwrap();
    two_nodes_share(&by_address.ca_file(secured.authority.file())).await;
}

#[tokio::test]
async fn the_doctor_tries_all_by_tls() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    let diagnosis = examine_at(&secured.address(), None).await.unwrap();
    let fails = |verdict| verdict == Verdict::Fails;
    assert!(!diagnosis.findings.iter().any(|one| fails(one.verdict)), "{diagnosis:#?}");
    assert!(diagnosis.findings.iter().any(|one| one.subject == "Two nodes"), "{diagnosis:#?}");
}

#[tokio::test]
async fn a_user_of_an_acl_logs_in_by_tls() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    let rules = ["ACL", "SETUSER", "app", "on", ">s3cret", "~{test}*", "&*", "+@all"];
    let () = secured.redis.ask(&rules).await;
    let () = secured.redis.ask(&["ACL", "SETUSER", "default", "off"]).await;
    let password = secured.authority.file().with_file_name("password");
    std::fs::write(&password, "s3cret\n").unwrap();
    two_nodes_share(&secured.address().user("app").password_file(&password)).await;
}

#[tokio::test]
async fn a_server_that_asks_for_the_clients_certificate_gets_it() {
    let secured = Secured::start(&["--tls-auth-clients", "yes"]).await;
    let own = secured.authority.sign("client", &["app"], Validity::Lasts);
    let address = secured.address();
    two_nodes_share(&address.clone().client_certificate(&own.certificate, &own.key)).await;

    let without = node_at(&address, "without").await;
    says(&without, "TLS", "asks for the client's certificate").await;

    let another = Authority::new();
    let strange = another.sign("client", &["app"], Validity::Lasts);
    let address = address.client_certificate(&strange.certificate, &strange.key);
    let stranger = node_at(&address, "stranger").await;
    says(&stranger, "TLS", "does not accept the client's certificate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_renewed_in_its_file_is_used_from_then_on() {
    let mut secured = Secured::start(&PLAIN_CLIENTS).await;
    let address = secured.address();
    let nodes = super::three_nodes(&address).await;
    // The server has a certificate of another authority by now, and so has the node's file.
    let other = Authority::new();
    let files = other.sign("server", &["localhost"], Validity::Lasts);
    std::fs::copy(other.file(), secured.authority.file()).unwrap();
    let server = secured.authority.file().with_file_name("server.pem");
    std::fs::copy(&files.certificate, &server).unwrap();
    std::fs::copy(&files.key, server.with_extension("key")).unwrap();
    secured.redis.restart().await;
    let [here, there] = [&nodes[0], &nodes[1]].map(crate::support::cache);
    super::share(&here, &there, 1).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_in_one_sentence() {
    let sound = Secured::start(&PLAIN_CLIENTS).await;
    let expired =
        Secured::with_certificate(&["localhost"], Validity::Expired, &PLAIN_CLIENTS).await;
    let other =
        Secured::with_certificate(&["cache.example"], Validity::Lasts, &PLAIN_CLIENTS).await;
    let unknown = RedisAddress::parse(&sound.redis.tls_url("localhost")).unwrap();
    let strange = unknown.clone().ca_file(expired.authority.file());
    for (address, said) in [
        (unknown, "is signed by no authority that is trusted here"),
        (strange, "is signed by no authority that is trusted here"),
        (expired.address(), "has expired"),
        (other.address(), "is not for localhost: it is for cache.example"),
    ] {
        let diagnosis = examine_at(&address, None).await.unwrap();
        assert_eq!(diagnosis.findings.len(), 1, "{diagnosis:#?}");
        let seen = &diagnosis.findings[0].seen;
        assert!(
            seen.starts_with("TLS: the server's certificate ") && seen.contains(said),
            "{seen}"
        );
        says(&node_at(&address, "node").await, "TLS", said).await;
    }
}

#[tokio::test]
async fn a_port_that_speaks_the_other_language_is_told() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    let plain_to_tls = format!("redis://127.0.0.1:{}", secured.redis.tls_port());
    let tls_to_plain = format!("rediss://127.0.0.1:{}", secured.redis.port());
    for (url, said) in
        [(plain_to_tls, "the port speaks TLS"), (tls_to_plain, "the port does not speak TLS")]
    {
        let address = RedisAddress::parse(&url).unwrap();
        let diagnosis = examine_at(&address, None).await.unwrap();
        assert!(diagnosis.findings[0].seen.contains(said), "{url}: {diagnosis:#?}");
        says(&node_at(&address, "node").await, "TLS", said).await;
    }
}

#[tokio::test]
async fn files_of_certificates_that_are_none_are_told_by_their_names() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    let empty = secured.authority.file().with_file_name("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let node = node_at(&secured.address().ca_file(&empty), "empty").await;
    says(&node, "TLS", "empty.pem, holds no CERTIFICATE").await;
    let node = node_at(&secured.address().ca_file("/nosuch/ca.pem"), "missing").await;
    says(&node, "TLS", "/nosuch/ca.pem, cannot be read").await;
    let of_no_use = RedisAddress::parse("redis://127.0.0.1").unwrap().ca_file(&empty);
    let refused = Node::builder("test").redis(of_no_use).start().await.err().unwrap();
    assert!(refused.to_string().contains("begins with rediss"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_while_connections_by_tls_break() {
    let secured = Secured::start(&PLAIN_CLIENTS).await;
    let address = secured.address();
    stays_coherent(&address, async {
        for _ in 0..5 {
            let () = secured.redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
            tokio::time::sleep(super::PATIENCE / 4).await;
        }
    })
    .await;
}
