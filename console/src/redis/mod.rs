//! Redis's own numbers, and the keys that each cache has there. Public face: the methods of
//! [`Console`](crate::Console) in `server`; inside the crate [`Census`].

mod attached;
mod census;
mod server;

pub(crate) use census::Census;
pub(crate) use server::ServerAnswer;
