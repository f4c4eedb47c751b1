//! A connection on which an anonymous request comes is served by threads that give way to those of the service.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::yield_now;

use super::low_priority;

/// Which threads serve a connection; in the extensions of each request on it.
#[derive(Clone, Debug, Default)]
pub struct Placement(Arc<AtomicBool>);

/// The work of one connection.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Placement {
    /// From here on, threads that give way.
    pub(crate) fn give_way(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// From here on, the threads of the service: once this is done, the connection is there, and so
    /// is what its request spawns.
    pub(crate) async fn go_first(&self) {
        if self.0.swap(false, Ordering::Relaxed) {
            // A connection moves as its work waits.
            yield_now().await;
        }
    }

    fn gives_way(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does the work of a connection, on the threads that its newest request belongs to.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static, placement: Placement) {
    let service = Handle::current();
    run_on(&service.clone(), Box::pin(work), Placed { placement, service, gives_way: false });
}

/// Where a connection is, and where it may go.
struct Placed {
    placement: Placement,
    service: Handle,
    gives_way: bool,
}

fn run_on(threads: &Handle, mut work: Work, mut placed: Placed) {
    let _detached = threads.spawn(async move {
        let is_to_move = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending if placed.placement.gives_way() != placed.gives_way => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        });
        if !is_to_move.await {
            return;
        }
        placed.gives_way = !placed.gives_way;
        // Where there are no such threads it stays, and is asked no more.
        let low = low_priority::handle().unwrap_or(&placed.service);
        let threads = if placed.gives_way { low } else { &placed.service };
        run_on(&threads.clone(), work, placed);
    });
}

#[cfg(test)]
mod tests {
    use std::thread;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use strata_console::Actor;
    use tokio::sync::oneshot;
    use tower::ServiceExt;

    use super::*;
    use crate::access::{AnonymousTurns, take_turns};

    fn thread_name() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn a_connection_moves_to_the_threads_of_its_newest_request() {
        let here = thread_name();
        let placement = Placement::default();
        let (told, names) = oneshot::channel();
        let asking = placement.clone();
        let work = async move {
            let first = thread_name();
            asking.give_way();
            yield_now().await;
            let anonymous = thread_name();
            asking.go_first().await;
            told.send([first, anonymous, thread_name()]).unwrap();
        };
        spawn(work, placement);
        assert_eq!(names.await.unwrap(), [here.clone(), "low-priority".to_owned(), here]);
    }

    /// Where a task runs that the handler of a request spawns.
    async fn spawned_on(actor: Actor, placement: &Placement) -> String {
        let spawn = || async { tokio::spawn(async { thread_name() }).await.unwrap() };
        let turns = from_fn_with_state(AnonymousTurns::default(), take_turns);
        let router = Router::new().route("/nodes", get(spawn)).layer(turns);
        let mut request = Request::get("/nodes").body(Body::empty()).unwrap();
        request.extensions_mut().insert(actor);
        request.extensions_mut().insert(placement.clone());
        let answer = router.oneshot(request).await.unwrap();
        let name = to_bytes(answer.into_body(), 1_000).await.unwrap();
        String::from_utf8(name.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_a_request_of_the_service_spawns_after_an_anonymous_one_gives_way_to_nobody() {
        let here = thread_name();
        let placement = Placement::default();
        let (told, names) = oneshot::channel();
        let asking = placement.clone();
        let work = async move {
            let anonymous = spawned_on(Actor::nobody(), &asking).await;
            yield_now().await;
            let moved = thread_name();
            let operator = spawned_on(Actor::local(), &asking).await;
            told.send([anonymous, moved, operator]).unwrap();
        };
        spawn(work, placement);
        let low = || "low-priority".to_owned();
        assert_eq!(names.await.unwrap(), [low(), low(), here]);
    }
}
