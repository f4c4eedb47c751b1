use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use strata_demo::{
    Caller, Ctx, DemoError, ObjectEdit, PostDraft, PostEdit, Site, UserDraft, UserEdit, Visibility,
};
use strata_report::Outcome;
use strata_testing::eventually;

use crate::support::{Done, House};

const ADMIN: Ctx = Ctx { actor: Caller::Admin, freshness: strata_demo::Freshness::Cached };

#[tokio::test]
async fn after_a_change_no_node_keeps_the_older_user() -> Done {
    let house = House::with_redis().await?;
    let sites = [house.site("1").await?, house.site("2").await?, house.site("3").await?];
    for site in &sites {
        site.user(&ADMIN, 7).await?;
    }
    for version in 2..12 {
        let writer = &sites[version as usize % 3];
        writer.put_user(&ADMIN, 7, bio(&format!("{version}"))).await?;
        assert_eq!(writer.user(&ADMIN, 7).await?.body.version, version, "on the writing node");
        for site in &sites {
            eventually("another node has the new user", async || {
                site.user(&ADMIN, 7).await.is_ok_and(|reply| reply.body.version == version)
            })
            .await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_post_replaces_the_older_one_in_place() -> Done {
    let house = House::with_redis().await?;
    let site = house.site("1").await?;
    site.post(&ADMIN, 5).await?;
    let edit = PostEdit { body: Some("New text.".to_owned()), ..PostEdit::default() };
    let written = site.put_post(&ADMIN, 5, edit).await?;
    let read = site.post(&ADMIN, 5).await?;
    assert_eq!(read.reads[0].outcome, Outcome::L1Hit);
    assert_eq!(read.body, written.body);
    let report = site.node().report();
    let posts = report.caches.iter().find(|cache| cache.cache == "posts").ok_or("no posts")?;
    assert_eq!(posts.l1.evictions.replaced, 1);
    Ok(())
}

#[tokio::test]
async fn a_new_post_drops_every_page_of_its_author_and_no_other() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    for (author, page) in [(1, 1), (1, 2), (17, 1)] {
        site.timeline(&ADMIN, author, page).await?;
    }
    let id = site.create_post(&ADMIN, post_by(1)).await?.body.id;
    let outcomes = [
        outcome_of(&site, 1, 1).await?,
        outcome_of(&site, 1, 2).await?,
        outcome_of(&site, 17, 1).await?,
    ];
    assert_eq!(outcomes, [Outcome::Loaded, Outcome::Loaded, Outcome::L1Hit]);
    assert_eq!(site.timeline(&ADMIN, 1, 1).await?.body.posts[0].id, id);
    Ok(())
}

#[tokio::test]
async fn a_new_title_is_on_the_timeline_at_once() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let id = site.create_post(&ADMIN, post_by(3)).await?.body.id;
    site.timeline(&ADMIN, 3, 1).await?;
    let edit = PostEdit { title: Some("Renamed".to_owned()), ..PostEdit::default() };
    site.put_post(&ADMIN, id, edit).await?;
    assert_eq!(site.timeline(&ADMIN, 3, 1).await?.body.posts[0].title, "Renamed");
    let edit = PostEdit { visibility: Some(Visibility::Draft), ..PostEdit::default() };
    site.put_post(&ADMIN, id, edit).await?;
    let posts = site.timeline(&ADMIN, 3, 1).await?.body.posts;
    assert!(posts.iter().all(|post| post.id != id));
    Ok(())
}

#[tokio::test]
async fn making_a_row_clears_a_remembered_not_found() -> Done {
    let house = House::with_redis().await?;
    let site = house.site("1").await?;
    let (next_user, next_post) = (61, 181);
    for _ in 0..2 {
        assert!(matches!(site.user(&ADMIN, next_user).await, Err(DemoError::NotFound)));
        assert!(matches!(site.post(&ADMIN, next_post).await, Err(DemoError::NotFound)));
        assert!(matches!(site.timeline(&ADMIN, next_user, 1).await, Err(DemoError::NotFound)));
    }
    let draft = UserDraft {
        name: "Somebody".to_owned(),
        email: "somebody@example.org".to_owned(),
        bio: String::new(),
    };
    assert_eq!(site.create_user(&ADMIN, draft).await?.body.id, next_user);
    assert_eq!(site.create_post(&ADMIN, post_by(next_user)).await?.body.id, next_post);
    assert_eq!(site.user(&ADMIN, next_user).await?.body.id, next_user);
    assert_eq!(site.post(&ADMIN, next_post).await?.body.id, next_post);
    assert_eq!(site.timeline(&ADMIN, next_user, 1).await?.body.posts.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_posts_and_timeline() -> Done {
    let house = House::with_redis().await?;
    let site = house.site("1").await?;
    let post = site.create_post(&ADMIN, post_by(9)).await?.body.id;
    site.user(&ADMIN, 9).await?;
    site.post(&ADMIN, post).await?;
    site.timeline(&ADMIN, 9, 1).await?;
    site.delete_user(&ADMIN, 9).await?;
    assert!(matches!(site.user(&ADMIN, 9).await, Err(DemoError::NotFound)));
    assert!(matches!(site.post(&ADMIN, post).await, Err(DemoError::NotFound)));
    assert!(matches!(site.timeline(&ADMIN, 9, 1).await, Err(DemoError::NotFound)));
    Ok(())
}

#[tokio::test]
async fn a_deleted_post_is_gone_from_its_timeline() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let id = site.create_post(&ADMIN, post_by(9)).await?.body.id;
    site.post(&ADMIN, id).await?;
    site.timeline(&ADMIN, 9, 1).await?;
    site.delete_post(&ADMIN, id).await?;
    assert!(matches!(site.post(&ADMIN, id).await, Err(DemoError::NotFound)));
    let posts = site.timeline(&ADMIN, 9, 1).await?.body.posts;
    assert!(posts.iter().all(|post| post.id != id));
    Ok(())
}

#[tokio::test]
async fn a_written_object_is_read_at_once() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    site.object(&ADMIN, "a:1").await?;
    let edit = ObjectEdit { body: "written".to_owned() };
    site.put_object(&ADMIN, "a:1", edit).await?;
    assert_eq!(site.object(&ADMIN, "a:1").await?.body.body, "written");
    Ok(())
}

#[tokio::test]
async fn a_stranger_changes_nothing() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    let author = house.store.author_of(5).await?;
    let before = (house.store.user(7).await?, house.store.post(5).await?);
    for caller in [Caller::Guest, Caller::User(author.max(7) + 1)] {
        let ctx = Ctx::of(caller);
        let refusals = [
            site.put_user(&ctx, 7, bio("Mine.")).await.err(),
            site.delete_user(&ctx, 7).await.err(),
            site.create_post(&ctx, post_by(7)).await.err(),
            site.put_post(&ctx, 5, PostEdit::default()).await.err(),
            site.delete_post(&ctx, 5).await.err(),
            site.put_object(&ctx, "a", ObjectEdit { body: String::new() }).await.err(),
        ];
        let all = refusals.iter().all(|error| matches!(error, Some(DemoError::Forbidden)));
        assert!(all, "{caller}: {refusals:?}");
    }
    assert_eq!((house.store.user(7).await?, house.store.post(5).await?), before);
    Ok(())
}

#[tokio::test]
async fn a_writer_who_read_an_older_version_meets_a_conflict() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    site.put_user(&ADMIN, 7, bio("First.")).await?;
    let edit = UserEdit { version: Some(1), ..bio("Second.") };
    assert!(matches!(site.put_user(&ADMIN, 7, edit).await, Err(DemoError::Conflict(_))));
    assert_eq!(site.user(&ADMIN, 7).await?.body.bio, "First.");
    Ok(())
}

// On one thread the write cannot end before its caller goes away.
#[tokio::test]
async fn a_write_ends_in_the_caches_even_when_its_caller_goes_away() -> Done {
    let house = House::plain().await?;
    let site = house.site("1").await?;
    site.user(&ADMIN, 7).await?;
    {
        let mut write = pin!(site.put_user(&ADMIN, 7, bio("Written.")));
        let first_look = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(first_look.is_pending());
    }
    eventually("the abandoned write is read", async || {
        site.user(&ADMIN, 7).await.is_ok_and(|reply| reply.body.bio == "Written.")
    })
    .await;
    Ok(())
}

async fn outcome_of(
    site: &Site,
    author: i64,
    page: u32,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    Ok(site.timeline(&ADMIN, author, page).await?.reads[0].outcome)
}

fn bio(text: &str) -> UserEdit {
    UserEdit { bio: Some(text.to_owned()), ..UserEdit::default() }
}

fn post_by(author_id: i64) -> PostDraft {
    PostDraft {
        author_id,
        title: "A title".to_owned(),
        body: "Text.".to_owned(),
        visibility: Visibility::Public,
    }
}
