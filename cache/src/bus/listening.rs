//! The task that reads the bus: it connects, reads until something fails, and connects again.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use redis::RedisResult;

use super::bus_connection::BusConnection;
use super::heartbeat::{BusStatus, Refusals, repair_heartbeat};
use super::position::{BusPlace, Position};
use super::reader::{BusHandler, BusReader, STEP};
use crate::connection::{Link, in_time};
use crate::log::log_safely;

const FIRST_RETRY: Duration = Duration::from_millis(50);

const LAST_RETRY: Duration = Duration::from_secs(2);

impl BusReader {
    /// Returns the current end of the stream. Listening from here covers all entries filled later,
    /// so trust begins at once if there is a heartbeat or this node can write one.
    pub(crate) async fn end(&self, link: &Link) -> Option<Position> {
        match self.find_end(link).await {
            Ok(here) => Some(here),
            Err(error) => {
                self.cannot_read(&error);
                None
            }
        }
    }

    async fn find_end(&self, link: &Link) -> RedisResult<Position> {
        let mut connection = link.connect(STEP).await?;
        let here = in_time(STEP, Position::now(&self.bus, &mut connection)).await?;
        self.since.store(here.sequence, Relaxed);
        self.acted_on.send_replace(here.sequence);
        let status = match in_time(STEP, BusStatus::ask(&self.bus, &mut connection)).await {
            Ok(status) => status,
            Err(error) => {
                self.cannot_read(&error);
                repair_heartbeat(&self.bus, &mut connection, STEP).await;
                return Ok(here);
            }
        };
        let (mut refusals, asked) = (Refusals::default(), status.asked);
        let place = (&self.bus, &mut connection);
        let heartbeat = status.heartbeat(place, &mut refusals, |error| self.refused(link, error));
        if let Ok(Some(heartbeat)) = in_time(STEP, heartbeat).await
            && let Some(until) = heartbeat.trusted_until(asked)
        {
            self.trust.extend(until);
        }
        Ok(here)
    }

    /// Listens from `position` on and reconnects for ever.
    pub(crate) async fn listen(
        &self,
        link: Arc<Link>,
        position: Option<Position>,
        handler: Arc<dyn BusHandler>,
    ) {
        let mut pause = FIRST_RETRY;
        let mut place = BusPlace { position, ..BusPlace::default() };
        loop {
            let (last, heard, error) =
                match BusConnection::begin(self, &link, &*handler, &mut place).await {
                    Ok(mut session) => {
                        let error = session.listen().await;
                        (Some(session.last), session.has_heard, error)
                    }
                    Err(error) => (None, false, error),
                };
            place.position = last.or(place.position);
            // The next connection begins where the error says.
            link.connector.follow(&error);
            self.cannot_read(&error);
            if heard {
                self.disconnects.add(1);
                pause = FIRST_RETRY;
            }
            self.trust.tell();
            log_safely(|| tracing::debug!(%error, "the bus is not heard"));
            tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
            self.trust.tell();
            pause = (pause * 2).min(LAST_RETRY);
        }
    }
}
