use strata_demo::{
    PostDraft, PostEdit, Store, StoreError, UserDraft, UserEdit, UserRole, Visibility,
};

use crate::support::{Done, House};

#[tokio::test]
async fn a_store_makes_its_file_and_finds_its_rows_again() -> Done {
    let dir = tempfile::tempdir()?;
    let deep = dir.path().join("not/there/yet");
    let store = Store::open(None, &deep).await?;
    let made = store.create_user(&draft("a@example.org")).await?;
    store.close().await;
    let again = Store::open(None, &deep).await?;
    assert_eq!(again.user(made.id).await?, Some(made));
    Ok(())
}

#[tokio::test]
async fn a_store_opens_the_file_that_an_address_names() -> Done {
    let dir = tempfile::tempdir()?;
    let url = format!("sqlite:{}", dir.path().join("mine.db").display());
    let store = Store::open(Some(&url), dir.path()).await?;
    store.ping().await?;
    assert!(dir.path().join("mine.db").exists());
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_no_sqlite_file_is_refused() -> Done {
    let dir = tempfile::tempdir()?;
    for url in ["", "postgres://localhost/x", "sqlite::memory:", "sqlite:x?mode=memory", "x.db"] {
        let error = Store::open(Some(url), dir.path()).await.err();
        assert!(matches!(error, Some(StoreError::Url(_))), "{url:?}: {error:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_the_same_time_all_succeed() -> Done {
    let house = House::plain().await?;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = house.store.clone();
        writers.spawn(async move {
            let edit = UserEdit { bio: Some(format!("{n}")), ..UserEdit::default() };
            store.put_user(1, &edit).await
        });
    }
    for written in writers.join_all().await {
        written?;
    }
    let user = house.store.user(1).await?.ok_or("no user 1")?;
    assert_eq!(user.version, 1 + 64);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_committed() -> Done {
    let house = House::plain().await?;
    for n in 0..200 {
        let edit = PostEdit { title: Some(format!("title {n}")), ..PostEdit::default() };
        let written = house.store.put_post(1, &edit).await?;
        assert_eq!(house.store.post(1).await?, Some(written));
    }
    Ok(())
}

#[tokio::test]
async fn a_writer_who_read_an_older_version_is_refused() -> Done {
    let house = House::plain().await?;
    let edit = |name: &str| UserEdit {
        name: Some(name.to_owned()),
        version: Some(1),
        ..UserEdit::default()
    };
    let first = house.store.put_user(2, &edit("First")).await?;
    let second = house.store.put_user(2, &edit("Second")).await;
    assert!(matches!(second, Err(StoreError::Outdated)), "{second:?}");
    assert_eq!(house.store.user(2).await?, Some(first));
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_not_there_is_told_from_one_that_has_changed() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    assert!(matches!(store.put_user(9_999, &UserEdit::default()).await, Err(StoreError::Missing)));
    assert!(matches!(store.put_post(9_999, &PostEdit::default()).await, Err(StoreError::Missing)));
    assert!(matches!(store.delete_user(9_999).await, Err(StoreError::Missing)));
    assert!(matches!(store.delete_post(9_999).await, Err(StoreError::Missing)));
    let orphan = post_by(9_999, "No author", Visibility::Public);
    assert!(matches!(store.create_post(&orphan).await, Err(StoreError::Missing)));
    Ok(())
}

#[tokio::test]
async fn an_email_address_belongs_to_one_user() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    store.create_user(&draft("one@example.org")).await?;
    let second = store.create_user(&draft("one@example.org")).await;
    assert!(matches!(second, Err(StoreError::Taken)), "{second:?}");
    let edit = UserEdit { email: Some("one@example.org".to_owned()), ..UserEdit::default() };
    assert!(matches!(store.put_user(1, &edit).await, Err(StoreError::Taken)));
    Ok(())
}

#[tokio::test]
async fn fields_left_out_of_an_edit_stay() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    let before = store.user(3).await?.ok_or("no user 3")?;
    let edit = UserEdit { bio: Some("New.".to_owned()), ..UserEdit::default() };
    let after = store.put_user(3, &edit).await?;
    assert_eq!((&after.name, &after.email), (&before.name, &before.email));
    assert_eq!((after.bio.as_str(), after.version), ("New.", 2));
    assert!(after.updated_at_ms > before.updated_at_ms);
    assert_eq!(after.role, UserRole::Member);
    Ok(())
}

#[tokio::test]
async fn many_users_are_those_that_exist() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    let users = store.users(&[5, 9_999, 7, 5]).await?;
    let mut ids: Vec<i64> = users.keys().copied().collect();
    ids.sort_unstable();
    assert_eq!(ids, [5, 7]);
    assert!(store.users(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_timeline_has_public_posts_newest_first_in_pages() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    let author = store.create_user(&draft("author@example.org")).await?.id;
    for n in 0..25 {
        store.create_post(&post_by(author, &format!("post {n}"), Visibility::Public)).await?;
    }
    store.create_post(&post_by(author, "secret", Visibility::Draft)).await?;
    let mut titles = Vec::new();
    for (page, n_posts) in [(1, 20), (2, 5), (3, 0)] {
        let page = store.timeline(author, page).await?.ok_or("no timeline")?;
        assert_eq!(page.posts.len(), n_posts);
        titles.extend(page.posts.into_iter().map(|post| post.title));
    }
    let expected: Vec<String> = (0..25).rev().map(|n| format!("post {n}")).collect();
    assert_eq!(titles, expected);
    assert_eq!(store.timeline(9_999, 1).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_deleted_user_takes_all_posts_along() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    let author = store.create_user(&draft("author@example.org")).await?.id;
    let post = store.create_post(&post_by(author, "One", Visibility::Public)).await?.id;
    assert_eq!(store.delete_user(author).await?, [post]);
    assert_eq!(store.user(author).await?, None);
    assert_eq!(store.post(post).await?, None);
    Ok(())
}

#[tokio::test]
async fn an_object_follows_from_its_key_until_it_is_written() -> Done {
    let house = House::plain().await?;
    let store = &house.store;
    let derived = store.object("17:503:0").await?;
    assert_eq!(store.object("17:503:0").await?, derived);
    assert_ne!(store.object("17:503:1").await?.body, derived.body);
    assert!((100..=2_048).contains(&derived.body.len()));
    let edit = strata_demo::ObjectEdit { body: "written".to_owned() };
    assert_eq!(store.put_object("17:503:0", &edit).await?.version, 1);
    assert_eq!(store.put_object("17:503:0", &edit).await?.version, 2);
    assert_eq!(store.object("17:503:0").await?.body, "written");
    Ok(())
}

fn draft(email: &str) -> UserDraft {
    UserDraft { name: "Somebody".to_owned(), email: email.to_owned(), bio: String::new() }
}

fn post_by(author_id: i64, title: &str, visibility: Visibility) -> PostDraft {
    PostDraft { author_id, title: title.to_owned(), body: "Text.".to_owned(), visibility }
}
