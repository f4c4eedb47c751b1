use strata_demo::{Post, Store, User, UserDraft};

use crate::support::Done;

type Rows = (Vec<Option<User>>, Vec<Option<Post>>);

#[tokio::test]
async fn the_same_rows_come_up_every_time() -> Done {
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let one = Store::open(None, one.path()).await?;
    let other = Store::open(None, other.path()).await?;
    one.seed(500).await?;
    other.seed(500).await?;
    let rows = rows_of(&one, 500).await?;
    assert!(rows.0.iter().all(Option::is_some) && rows.1.iter().all(Option::is_some));
    assert_eq!(rows, rows_of(&other, 500).await?);
    Ok(())
}

#[tokio::test]
async fn the_rows_never_change_from_version_to_version() -> Done {
    let dir = tempfile::tempdir()?;
    let store = Store::open(None, dir.path()).await?;
    store.seed(20).await?;
    let user = store.user(17).await?.ok_or("no user 17")?;
    let post = store.post(42).await?.ok_or("no post 42")?;
    assert_eq!(user.email, "user17@example.com");
    assert_eq!((user.name.as_str(), user.updated_at_ms), ("Hedy Granite", 1_704_067_200_017));
    assert_eq!(
        (post.author_id, post.title.as_str(), post.body.len()),
        (9, "Water much leaves", 699)
    );
    Ok(())
}

#[tokio::test]
async fn a_second_seeding_adds_nothing_and_keeps_changes() -> Done {
    let dir = tempfile::tempdir()?;
    let store = Store::open(None, dir.path()).await?;
    let first = store.seed(100).await?;
    assert_eq!((first.n_users, first.n_posts), (100, 300));
    store.delete_user(5).await?;
    let before = rows_of(&store, 100).await?;
    for n_users in [100, 50, 0] {
        let again = store.seed(n_users).await?;
        assert_eq!((again.n_users, again.n_posts), (0, 0));
    }
    assert_eq!(rows_of(&store, 100).await?, before);
    Ok(())
}

#[tokio::test]
async fn a_store_that_grows_equals_one_seeded_at_once() -> Done {
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let grown = Store::open(None, one.path()).await?;
    grown.seed(30).await?;
    let more = grown.seed(200).await?;
    assert_eq!((more.n_users, more.n_posts), (170, 510));
    let at_once = Store::open(None, other.path()).await?;
    at_once.seed(200).await?;
    assert_eq!(rows_of(&grown, 200).await?, rows_of(&at_once, 200).await?);
    Ok(())
}

#[tokio::test]
async fn a_store_grows_after_an_author_was_deleted_and_a_user_was_made() -> Done {
    let dir = tempfile::tempdir()?;
    let store = Store::open(None, dir.path()).await?;
    store.seed(30).await?;
    store.delete_user(1).await?;
    let made = store.create_user(&somebody()).await?;
    assert_eq!(made.id, 31);
    store.seed(2_000).await?;
    assert_eq!(store.user(31).await?, Some(made));
    assert!(store.user(2_000).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_database_with_users_of_its_own_is_left_alone() -> Done {
    let dir = tempfile::tempdir()?;
    let store = Store::open(None, dir.path()).await?;
    store.create_user(&somebody()).await?;
    assert_eq!(store.seed(100).await?.n_users, 0);
    assert_eq!(store.user(2).await?, None);
    Ok(())
}

#[tokio::test]
async fn bodies_differ_in_size_and_some_timelines_have_many_pages() -> Done {
    let dir = tempfile::tempdir()?;
    let store = Store::open(None, dir.path()).await?;
    store.seed(3_000).await?;
    let (_, posts) = rows_of(&store, 3_000).await?;
    let sizes = posts.iter().flatten().map(|post| post.body.len());
    assert_eq!(sizes.clone().min(), Some(200));
    assert_eq!(sizes.clone().max(), Some(8_192));
    let mean = sizes.sum::<usize>() / posts.len();
    assert!((350..600).contains(&mean), "{mean}");
    let third = store.timeline(1, 3).await?.ok_or("no author 1")?;
    assert!(!third.posts.is_empty());
    Ok(())
}

async fn rows_of(store: &Store, n_users: i64) -> Result<Rows, Box<dyn std::error::Error>> {
    let mut users = Vec::new();
    for id in 1..=n_users {
        users.push(store.user(id).await?);
    }
    let mut posts = Vec::new();
    for id in 1..=3 * n_users {
        posts.push(store.post(id).await?);
    }
    Ok((users, posts))
}

fn somebody() -> UserDraft {
    UserDraft {
        name: "Somebody".to_owned(),
        email: "somebody@example.org".to_owned(),
        bio: String::new(),
    }
}
