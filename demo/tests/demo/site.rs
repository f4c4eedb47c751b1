use strata_demo::{Caller, Ctx, DemoError, MAX_BATCH, PostDraft, Visibility};
use strata_report::Outcome;

use crate::support::{Done, House};

const GUEST: Caller = Caller::Guest;

#[tokio::test]
async fn a_second_read_is_answered_by_l1() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let ctx = Ctx::of(GUEST);
    let first = site.user(&ctx, 7).await?;
    let second = site.user(&ctx, 7).await?;
    assert_eq!(first.reads[0].outcome, Outcome::Loaded);
    assert_eq!(second.reads[0].outcome, Outcome::L1Hit);
    assert_eq!((second.reads[0].cache, second.reads[0].key.as_str()), ("users", "7"));
    assert!(second.reads[0].expires_in.is_some());
    assert_eq!(first.body, second.body);
    Ok(())
}

#[tokio::test]
async fn what_one_node_loaded_another_finds_in_l2() -> Done {
    let house = House::with_redis().await?;
    let (one, other) = (house.site("1").await?, house.site("2").await?);
    let ctx = Ctx::of(GUEST);
    let post = one.post(&ctx, 7).await?;
    let again = other.post(&ctx, 7).await?;
    assert_eq!(again.reads[0].outcome, Outcome::L2Hit);
    assert_eq!(again.body, post.body);
    assert_eq!(one.timeline(&ctx, 1, 1).await?.reads[0].outcome, Outcome::Loaded);
    assert_eq!(other.timeline(&ctx, 1, 1).await?.reads[0].outcome, Outcome::L2Hit);
    assert_eq!(one.object(&ctx, "a:1").await?.reads[0].outcome, Outcome::Loaded);
    assert_eq!(other.object(&ctx, "a:1").await?.reads[0].outcome, Outcome::L2Hit);
    Ok(())
}

#[tokio::test]
async fn a_cached_email_is_shown_to_its_user_and_admins_alone() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    for (caller, is_shown) in [
        (Caller::User(7), true),
        (Caller::User(8), false),
        (GUEST, false),
        (Caller::Admin, true),
        (GUEST, false),
    ] {
        let ctx = Ctx::of(caller);
        assert_eq!(site.user(&ctx, 7).await?.body.email.is_some(), is_shown, "{caller}");
        let batch = site.users(&ctx, &[7]).await?;
        let shown = batch.body[0].as_ref().is_some_and(|user| user.email.is_some());
        assert_eq!(shown, is_shown, "{caller}");
    }
    Ok(())
}

#[tokio::test]
async fn a_cached_draft_exists_for_its_author_and_admins_alone() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let author = Ctx::of(Caller::User(7));
    let draft = PostDraft {
        author_id: 7,
        title: "Soon".to_owned(),
        body: "Not yet.".to_owned(),
        visibility: Visibility::Draft,
    };
    let id = site.create_post(&author, draft).await?.body.id;
    assert_eq!(site.post(&author, id).await?.body.title, "Soon");
    assert_eq!(site.post(&author, id).await?.reads[0].outcome, Outcome::L1Hit);
    for caller in [GUEST, Caller::User(8)] {
        let refused = site.post(&Ctx::of(caller), id).await;
        assert!(matches!(refused, Err(DemoError::NotFound)), "{caller}: {refused:?}");
    }
    assert!(site.post(&Ctx::of(Caller::Admin), id).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_batch_keeps_order_duplicates_and_gaps() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let ctx = Ctx::of(GUEST);
    site.user(&ctx, 9).await?;
    let batch = site.users(&ctx, &[9, 9_999, 3, 9, 3]).await?;
    let ids: Vec<Option<i64>> =
        batch.body.iter().map(|user| user.as_ref().map(|user| user.id)).collect();
    assert_eq!(ids, [Some(9), None, Some(3), Some(9), Some(3)]);
    assert_eq!(batch.reads.len(), 5);
    assert_eq!(batch.reads[0].outcome, Outcome::L1Hit);
    let bypassed = site.users(&ctx.bypassing(), &[9, 9_999, 9]).await?;
    assert!(bypassed.reads.iter().all(|note| note.outcome == Outcome::Bypassed));
    assert_eq!(bypassed.body[0], bypassed.body[2]);
    assert_eq!(bypassed.body[1], None);
    Ok(())
}

#[tokio::test]
async fn a_bypassing_read_asks_the_source_and_stores_nothing() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let ctx = Ctx::of(GUEST);
    for _ in 0..2 {
        let reply = site.post(&ctx.bypassing(), 4).await?;
        assert_eq!(reply.reads[0].outcome, Outcome::Bypassed);
    }
    assert_eq!(site.post(&ctx, 4).await?.reads[0].outcome, Outcome::Loaded);
    Ok(())
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_the_reason() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let ctx = Ctx::of(Caller::Admin);
    let too_many: Vec<i64> = (1..=MAX_BATCH as i64 + 1).collect();
    let long_key = "k".repeat(1_025);
    let refusals = [
        site.user(&ctx, 0).await.err(),
        site.post(&ctx, -1).await.err(),
        site.users(&ctx, &[]).await.err(),
        site.users(&ctx, &[1, 0]).await.err(),
        site.users(&ctx, &too_many).await.err(),
        site.timeline(&ctx, 1, 0).await.err(),
        site.timeline(&ctx, 1, 1_001).await.err(),
        site.object(&ctx, "").await.err(),
        site.object(&ctx, &long_key).await.err(),
        site.object(&ctx, "a\nb").await.err(),
    ];
    for (n, refusal) in refusals.into_iter().enumerate() {
        let is_plain = matches!(&refusal, Some(DemoError::Invalid(why)) if !why.is_empty());
        assert!(is_plain, "request {n}: {refusal:?}");
    }
    assert_eq!(site.users(&ctx, &too_many[..MAX_BATCH]).await?.body.len(), MAX_BATCH);
    Ok(())
}

#[tokio::test]
async fn a_source_that_fails_is_an_error_and_cached_answers_go_on() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let ctx = Ctx::of(GUEST);
    site.user(&ctx, 7).await?;
    house.store.close().await;
    assert!(site.user(&ctx, 7).await.is_ok());
    assert!(matches!(site.user(&ctx, 8).await, Err(DemoError::Source(_))));
    assert!(matches!(site.users(&ctx, &[7, 8]).await, Err(DemoError::Source(_))));
    assert!(matches!(site.users(&ctx.bypassing(), &[7]).await, Err(DemoError::Source(_))));
    Ok(())
}
