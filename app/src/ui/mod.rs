//! Primitives that know no caches: buttons, forms, bars, dialogs, and turns on the browser's thread.

mod badge;
mod bar;
mod button;
mod card;
mod dialog;
mod form;
mod number;
#[cfg(feature = "csr")]
mod yielding;

pub(crate) use badge::{Badge, Tone};
pub(crate) use bar::{Bar, Meter, Segment};
pub(crate) use button::{Button, Weight};
pub(crate) use card::Card;
pub(crate) use dialog::Dialog;
#[cfg(feature = "csr")]
pub(crate) use form::form_fields;
pub(crate) use form::{FirstFailure, Form, FormFailure, ServerCall};
pub(crate) use number::{Label, Number};
#[cfg(feature = "csr")]
pub(crate) use yielding::{TimeSlice, yield_to_browser};
