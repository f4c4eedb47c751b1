pub(crate) mod api;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod lab;
pub(crate) mod login;
pub(crate) mod metrics;
