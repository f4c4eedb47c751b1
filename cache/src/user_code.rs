use std::any::Any;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// The future of a look at a cache, which may walk over L1 in slices.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The payload of a panic.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Runs foreign code. Returns `None` if it panics.
pub(crate) fn contained<R>(code: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).map_err(discard).ok()
}

/// Runs a foreign future to its end, or to its panic.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Panic> {
    let mut future = Some(Box::pin(future));
    let ended = poll_fn(|context| {
        let Some(running) = &mut future else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    // Dropping the future runs foreign code too.
    contained(|| drop(future.take()));
    ended
}

/// Drops the payload of a panic. If that panics as well, the second payload is leaked.
pub(crate) fn discard(panic: Panic) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(another);
    }
}

/// The message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("as it is dropped");
        }
    }

    #[test]
    fn a_panic_whose_message_panics_is_contained_as_well() {
        assert_eq!(contained(|| -> u8 { panic_any(Bomb) }), None);
        assert_eq!(contained(|| 7), Some(7));
    }

    #[tokio::test]
    async fn a_future_is_run_to_its_end_or_its_panic() {
        let slow = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(caught(slow).await.ok(), Some(7));
        let panicking = async {
            tokio::task::yield_now().await;
            panic!("half-way");
        };
        let panic = caught(panicking).await.err();
        assert_eq!(panic.and_then(|panic| panic.downcast_ref::<&str>().copied()), Some("half-way"));
    }
}
