//! An application around the dashboard says who asks, and what they may do.

mod access;
mod rules;

pub use access::Access;
pub(crate) use rules::{
    ApplicationNonce, ApplicationRules, admit_by_application, identify_by_application,
};
