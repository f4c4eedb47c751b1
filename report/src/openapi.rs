//! The forms on the wire that differ from the types.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{Histogram, LogHistogram};

impl PartialSchema for Histogram {
    fn schema() -> RefOr<Schema> {
        sparse("sum_ns")
    }
}

impl ToSchema for Histogram {}

impl PartialSchema for LogHistogram {
    fn schema() -> RefOr<Schema> {
        sparse("sum")
    }
}

impl ToSchema for LogHistogram {}

/// A sum, and pairs of a bucket and its count.
fn sparse(sum: &str) -> RefOr<Schema> {
    let number = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
    let pair = ArrayBuilder::new()
        .items(RefOr::T(Schema::Object(number())))
        .min_items(Some(2))
        .max_items(Some(2))
        .build();
    let buckets = ArrayBuilder::new().items(RefOr::T(Schema::Array(pair))).build();
    ObjectBuilder::new()
        .property(sum, number())
        .property("buckets", buckets)
        .required(sum)
        .required("buckets")
        .into()
}
