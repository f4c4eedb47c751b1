//! Strategies side by side on the same requests. The address says what is compared.

mod curve;
mod form;
mod page;
mod running;
mod traces;
mod view;

pub(crate) use page::compare;
