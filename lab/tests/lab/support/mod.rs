mod laboratory;

pub(crate) use laboratory::{Laboratory, lesson, order, order_with};

pub(crate) type Done = Result<(), Box<dyn std::error::Error>>;
