//! When a stream ends although its reader would read on.

use std::future::pending;
use std::time::Duration;

use strata_console::Console;
use tokio::time::sleep;

use super::{Reader, below};
use crate::access::OwnSession;

/// How often a stream asks whether its session has ended.
const SESSION_ASKED: Duration = Duration::from_secs(1);

/// A reader that does not open the next stream by itself has so many times as long: its way back
/// takes a while, and it begins with everything.
const TIMES_FOR_OTHERS: u32 = 10;

/// Ends when the application is to be asked again who reads, which alone knows who has logged out
/// there; never where there is none.
pub(super) fn application_asked_again(
    every: Option<Duration>,
    reader: &Reader,
) -> impl Future<Output = ()> + use<> {
    let times = if reader.renew { 1 } else { TIMES_FOR_OTHERS };
    let time = every.map(|every| about(every.saturating_mul(times)));
    async move {
        match time {
            Some(time) => sleep(time).await,
            None => pending().await,
        }
    }
}

/// Ends with the session, also where that ended before this was asked. A token, or none, does not
/// end.
pub(super) async fn session_ended(console: Console, session: Option<OwnSession>) {
    let Some(OwnSession(session)) = session else { return pending().await };
    while console.access().goes_on(&session) {
        sleep(SESSION_ASKED).await;
    }
}

/// From four fifths of a time to six fifths of it, by chance: windows that began together do not all
/// come back in one instant.
fn about(time: Duration) -> Duration {
    let chance = u32::try_from(below(401)).unwrap_or_default();
    (time / 1_000).saturating_mul(800 + chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_began_together_come_back_within_two_fifths_of_the_time_and_not_at_once() {
        const TIME: Duration = Duration::from_secs(30);
        let times: Vec<_> = (0..200).map(|_| about(TIME)).collect();
        assert!(
            times.iter().all(|time| (24_000..=36_000).contains(&time.as_millis())),
            "{times:?}"
        );
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*last - *first > Duration::from_secs(6), "{times:?}");
    }
}
