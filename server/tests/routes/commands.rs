//! Commands of the program that end by themselves.

use serde_json::Value;
use strata_server::PrivateRedis;

use crate::program::{address, strata};
use crate::secrets::{printed, run};

#[tokio::test]
async fn the_doctor_says_that_a_sound_redis_can_be_used() {
    let redis = PrivateRedis::start().await.unwrap();
    let url = redis.url();
    let examined = run(&["doctor", "--redis-url", &url], &[]).await;
    let text = printed(&examined);
    assert!(examined.status.success(), "{text}");
    assert!(text.contains("Nodes can use this Redis"), "{text}");
    assert!(text.contains("what one invalidated was gone on the other"), "{text}");
    let json = run(&["doctor", "--redis-url", &url, "--json"], &[]).await;
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["findings"][0]["subject"], "Connection");
    assert_eq!(json["findings"][0]["verdict"], "works");
    redis.stop().await;
}

#[tokio::test]
async fn the_doctor_fails_where_nobody_can_use_the_redis() {
    let url = "redis://:s3same@127.0.0.1:1";
    let examined = run(&["doctor", "--redis-url", url], &[]).await;
    let text = printed(&examined);
    assert_eq!(examined.status.code(), Some(1), "{text}");
    assert!(text.contains("fails") && text.contains("Nodes cannot use this Redis"), "{text}");
    assert!(!text.contains("s3same"), "{text}");
    for none in [&["doctor"][..], &["doctor", "--redis-url", "off"]] {
        let refused = run(none, &[]).await;
        assert!(!refused.status.success());
        assert!(printed(&refused).contains("--redis-url"), "{}", printed(&refused));
    }
}

#[tokio::test]
async fn what_names_one_redis_for_strata_serve_serves_the_other_commands_too() {
    let redis = PrivateRedis::start().await.unwrap();
    let only = format!("eu={}", redis.url());
    let several = format!("{only} us=redis://:hunter2@127.0.0.1:1");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("urls");
    for (named, doctor_ends) in [(&only, true), (&several, false)] {
        std::fs::write(&file, named.replace(' ', "\n")).unwrap();
        let by_file = ["doctor", "--redis-url-file", file.to_str().unwrap()];
        let by_variable = [("STRATA_REDIS_URL", named.as_str())];
        for examined in [run(&["doctor"], &by_variable).await, run(&by_file, &[]).await] {
            let said = printed(&examined);
            assert_eq!(examined.status.success(), doctor_ends, "{said}");
            assert!(doctor_ends || said.contains("(eu, us)"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
    redis.stop().await;
}

#[tokio::test]
async fn health_reads_a_file_that_names_several_redis() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &["--redis-url", "off"]).spawn().unwrap();
    let listen = address(&mut child).await;
    let file = dir.path().join("strata.toml");
    let text = format!("listen = '{listen}'\nredis-url = ['eu=redis://h', 'us=redis://g']\n");
    std::fs::write(&file, text).unwrap();
    let asked = run(&["health", "--config", file.to_str().unwrap()], &[]).await;
    assert!(asked.status.success(), "{}", printed(&asked));
    child.kill().await.unwrap();
}

#[tokio::test]
async fn health_says_whether_a_program_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &["--redis-url", "off"]).spawn().unwrap();
    let listen = address(&mut child).await;
    let asked = run(&["health", "--listen", &listen], &[]).await;
    assert!(asked.status.success(), "{}", printed(&asked));
    child.kill().await.unwrap();
    let asked = run(&["health", "--listen", &listen], &[]).await;
    assert_eq!(asked.status.code(), Some(1));
    assert!(printed(&asked).contains(&listen), "{}", printed(&asked));
}

#[tokio::test]
async fn completions_and_the_manual_page_know_every_command() {
    for arguments in [&["completions", "bash"][..], &["completions", "fish"], &["man"]] {
        let printed = run(arguments, &[]).await;
        assert!(printed.status.success());
        let text = String::from_utf8(printed.stdout).unwrap();
        for command in ["demo", "doctor", "health", "purge"] {
            assert!(text.contains(command), "{arguments:?} lacks {command}");
        }
    }
}
