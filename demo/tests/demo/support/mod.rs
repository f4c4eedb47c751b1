mod house;

pub(crate) use house::{House, N_USERS};

pub(crate) type Done = Result<(), Box<dyn std::error::Error>>;
