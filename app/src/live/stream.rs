use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::closure::Closure;
use strata_report::{Frame, Point, Snapshot};
use web_sys::{EventSource, MessageEvent};

use super::LiveState;
use super::ring::Ring;

const ADDRESS: &str = "/events";

/// A stream that is silent for longer is lost; a half-open connection shows no other sign.
const SILENCE: Duration = Duration::from_secs(3);

const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// The signals that a stream draws to.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) state: RwSignal<LiveState>,
    pub(crate) frame: RwSignal<Frame>,
    pub(crate) points: RwSignal<Vec<Point>>,
}

/// The live stream of this tab: one connection, closed while nobody looks, asked for again for
/// ever when it breaks.
#[derive(Clone)]
pub(crate) struct Stream(Rc<Inner>);

struct Inner {
    screen: Screen,
    ring: RefCell<Ring>,
    newest: RefCell<Option<Frame>>,
    draws: Cell<bool>,
    connection: RefCell<Option<Connection>>,
    timer: Cell<Option<TimeoutHandle>>,
    n_failures: Cell<u32>,
}

impl Stream {
    /// A stream that is not open yet.
    pub(crate) fn new(screen: Screen, ring: Ring) -> Self {
        Self(Rc::new(Inner {
            screen,
            ring: RefCell::new(ring),
            newest: RefCell::new(None),
            draws: Cell::new(false),
            connection: RefCell::new(None),
            timer: Cell::new(None),
            n_failures: Cell::new(0),
        }))
    }

    /// Connects, and from then on follows whether the tab is seen.
    pub(crate) fn open(&self) {
        let stream = self.clone();
        let _ = window_event_listener_untyped("visibilitychange", move |_| stream.follow_sight());
        self.connect();
    }

    /// Stops the numbers, or goes on; the snapshot then brings what was missed.
    pub(crate) fn toggle(&self) {
        if self.0.screen.state.get_untracked() == LiveState::Paused {
            self.0.screen.state.set(LiveState::Connecting);
            self.connect();
        } else {
            self.close();
            self.0.screen.state.set(LiveState::Paused);
        }
    }

    fn follow_sight(&self) {
        if self.0.screen.state.get_untracked() == LiveState::Paused {
            return;
        }
        self.close();
        if !document().hidden() {
            self.0.screen.state.set(LiveState::Connecting);
            self.connect();
        }
    }

    fn connect(&self) {
        self.close();
        match Connection::open(self) {
            Some(connection) => {
                self.0.connection.replace(Some(connection));
                self.expect_event();
            }
            None => self.lose(),
        }
    }

    fn close(&self) {
        self.0.connection.replace(None);
        self.set_timer(None);
    }

    fn expect_event(&self) {
        let stream = self.clone();
        self.set_timer(set_timeout_with_handle(move || stream.lose(), SILENCE).ok());
    }

    // Keeps trying for ever, never sooner than others that lost the same server.
    fn lose(&self) {
        self.close();
        self.0.screen.state.set(LiveState::Lost);
        let n_failures = self.0.n_failures.get();
        self.0.n_failures.set(n_failures.saturating_add(1));
        let wait = FIRST_RETRY.saturating_mul(1 << n_failures.min(6)).min(LAST_RETRY);
        let jitter = 0.5 + web_sys::js_sys::Math::random();
        let stream = self.clone();
        let retry = move || stream.connect();
        self.set_timer(set_timeout_with_handle(retry, wait.mul_f64(jitter)).ok());
    }

    fn set_timer(&self, timer: Option<TimeoutHandle>) {
        if let Some(old) = self.0.timer.replace(timer) {
            old.clear();
        }
    }

    fn take_snapshot(&self, text: &str) {
        let Ok(Snapshot { frame, history }) = serde_json::from_str(text) else {
            return self.lose();
        };
        self.0.ring.borrow_mut().replace(history);
        self.take(frame);
    }

    fn take_frame(&self, text: &str) {
        match serde_json::from_str::<Frame>(text) {
            Ok(frame) => {
                self.0.ring.borrow_mut().push(frame.point);
                self.take(frame);
            }
            Err(_) => self.lose(),
        }
    }

    fn take(&self, frame: Frame) {
        self.0.n_failures.set(0);
        self.expect_event();
        self.0.newest.replace(Some(frame));
        if !self.0.draws.replace(true) {
            let stream = self.clone();
            request_animation_frame(move || stream.draw());
        }
    }

    fn draw(&self) {
        self.0.draws.set(false);
        let screen = self.0.screen;
        let paused = screen.state.get_untracked() == LiveState::Paused;
        if let Some(frame) = self.0.newest.take().filter(|_| !paused) {
            screen.state.set(LiveState::Live);
            screen.points.set(self.0.ring.borrow().points());
            screen.frame.set(frame);
        }
    }
}

/// An open stream with its listeners; closes when dropped.
struct Connection {
    source: EventSource,
    _listeners: [Closure<dyn Fn(MessageEvent)>; 3],
}

impl Connection {
    fn open(stream: &Stream) -> Option<Self> {
        let source = EventSource::new(ADDRESS).ok()?;
        let listeners = [
            listen(&source, "snapshot", stream, Stream::take_snapshot),
            listen(&source, "frame", stream, Stream::take_frame),
            listen(&source, "error", stream, |stream, _| stream.lose()),
        ];
        Some(Self { source, _listeners: listeners })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.source.close();
    }
}

fn listen(
    source: &EventSource,
    name: &str,
    stream: &Stream,
    act: fn(&Stream, &str),
) -> Closure<dyn Fn(MessageEvent)> {
    let stream = stream.clone();
    let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        act(&stream, &event.data().as_string().unwrap_or_default());
    });
    // The only reason to fail is a listener that is no function.
    let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener
}
