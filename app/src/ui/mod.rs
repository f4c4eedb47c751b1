//! Primitives that know no caches.

mod badge;
mod bar;
mod button;
mod card;
mod dialog;
mod form;
mod number;
mod part;
mod turn;

pub(crate) use badge::{Badge, Tone};
pub(crate) use bar::{Bar, Meter, Segment};
pub(crate) use button::{Button, Weight};
pub(crate) use card::Card;
pub(crate) use dialog::Dialog;
pub(crate) use form::{Asked, FirstFailure, Form, form_fields};
pub(crate) use number::{Label, Number};
pub(crate) use part::Part;
pub(crate) use turn::Turn;
pub use turn::breath;
