//! Primitives that know no caches: buttons, forms, bars, dialogs, and the parts of a page that come
//! alive one after the other.

mod badge;
mod bar;
mod button;
mod card;
mod dialog;
mod form;
mod live_part;
mod number;
mod yielding;

pub(crate) use badge::{Badge, Tone};
pub(crate) use bar::{Bar, Meter, Segment};
pub(crate) use button::{Button, Weight};
pub(crate) use card::Card;
pub(crate) use dialog::Dialog;
pub(crate) use form::{FirstFailure, Form, FormFailure, ServerCall, form_fields};
pub(crate) use live_part::LivePart;
pub(crate) use number::{Label, Number};
pub(crate) use yielding::TimeSlice;
pub use yielding::yield_to_browser;
