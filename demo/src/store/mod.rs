//! Where the truth lives: SQLite. All SQL of the demo is here, one file a table.

mod database;
mod error;
mod items;
mod objects;
mod posts;
mod prose;
mod seed;
mod turns;
mod users;

pub use database::Store;
pub use error::StoreError;
pub use items::{Item, Items};
pub use objects::{Object, ObjectEdit};
pub use posts::{Post, PostDraft, PostEdit, PostSummary, TimelinePage, Visibility};
pub use seed::Seeding;
pub use users::{User, UserDraft, UserEdit, UserRole, UserView};
