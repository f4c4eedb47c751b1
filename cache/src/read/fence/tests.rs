use super::*;

/// In unit tests the fence works only under a scheduler.
fn in_every_order(test: impl Fn() + Send + Sync + 'static) {
    shuttle::check_dfs(test, None);
}

fn lead(fence: &Fence<u32, ()>, key: u32) -> (Token, u64) {
    match fence.join(&key, || None::<()>, || ()) {
        Joined::Lead(token, id) => (token, id),
        _ => panic!("somebody else leads {key}"),
    }
}

#[test]
fn a_fill_is_let_in_while_nothing_overtook_it() {
    in_every_order(|| {
        let fence = Fence::new();
        let (token, _) = lead(&fence, 1);
        assert!(fence.fill(&1, token, || ()));
    });
}

#[test]
fn a_fill_that_an_invalidation_overtook_is_rejected() {
    in_every_order(|| {
        let fence = Fence::new();
        let (token, _) = lead(&fence, 1);
        fence.overtake(&1, || ());
        assert!(!fence.fill(&1, token, || panic!("let in")));
    });
}

#[test]
fn raising_the_epoch_rejects_every_fill_in_flight() {
    in_every_order(|| {
        let fence = Fence::new();
        let (token, _) = lead(&fence, 1);
        fence.raise_epoch();
        assert!(!fence.fill(&1, token, || panic!("let in")));
    });
}

#[test]
fn a_reader_after_an_invalidation_does_not_join_the_older_flight() {
    in_every_order(|| {
        let fence = Fence::new();
        let (_, old) = lead(&fence, 1);
        assert!(matches!(fence.join(&1, || None::<()>, || ()), Joined::Flight(())));
        fence.overtake(&1, || ());
        let (_, new) = lead(&fence, 1);
        fence.leave(&1, old);
        assert!(matches!(fence.join(&1, || None::<()>, || ()), Joined::Flight(())));
        fence.leave(&1, new);
        lead(&fence, 1);
    });
}
