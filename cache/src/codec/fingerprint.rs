//! An eight-byte fingerprint of a value, made from its `Serialize` output. It shows whether a codec
//! returns the value it was given. It is finer than any codec: `Some(None)` differs from `None`,
//! and infinity from every number. Elements of a sequence count in any order, since a set has none.

use std::fmt;
use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::ser;
use serde::ser::{Serialize, Serializer};

/// Computes fingerprints.
#[derive(Clone, Copy)]
pub(super) struct Fingerprint {
    /// Whether the codec is human-readable, as JSON is. Some types then serialize differently.
    pub(super) is_human_readable: bool,
}

/// The value cannot be serialized.
#[derive(Debug)]
pub(super) struct Unwritable;

impl Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write the value")
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Printed = Result<u64, Unwritable>;

fn print(kind: &str, parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    kind.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

/// The parts of a value, one after the other.
pub(super) struct Parts {
    printer: Fingerprint,
    kind: &'static str,
    sum: u64,
    /// How many parts came so far, if their order counts.
    nth: Option<u64>,
    key: u64,
}

impl Parts {
    fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
        let value = value.serialize(self.printer)?;
        if let Some(nth) = &mut self.nth {
            *nth += 1;
        }
        self.sum = self.sum.wrapping_add(print(name, (value, self.nth, self.key)));
        Ok(())
    }

    fn end(self) -> Printed {
        Ok(print(self.kind, self.sum))
    }
}

impl Fingerprint {
    fn ordered(self, kind: &'static str) -> Parts {
        Parts { printer: self, kind, sum: 0, nth: Some(0), key: 0 }
    }

    fn unordered(self, kind: &'static str) -> Parts {
        Parts { printer: self, kind, sum: 0, nth: None, key: 0 }
    }
}

macro_rules! plain {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, value: $type) -> Printed {
            Ok(print(stringify!($method), value))
        })*
    };
}

impl Serializer for Fingerprint {
    type Ok = u64;
    type Error = Unwritable;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    plain! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32)
        serialize_u64(u64) serialize_u128(u128) serialize_unit_struct(&'static str)
    }

    fn serialize_f32(self, value: f32) -> Printed {
        self.serialize_f64(value.into())
    }

    /// Uses twelve digits, because JSON may lose the last digit.
    fn serialize_f64(self, value: f64) -> Printed {
        Ok(print("float", format!("{value:.11e}")))
    }

    fn serialize_none(self) -> Printed {
        Ok(print("none", ()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Printed {
        Ok(print("some", value.serialize(self)?))
    }

    fn serialize_unit(self) -> Printed {
        Ok(print("unit", ()))
    }

    fn serialize_unit_variant(self, _: &'static str, nth: u32, _: &'static str) -> Printed {
        Ok(print("variant", nth))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Printed {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        nth: u32,
        _: &'static str,
        value: &T,
    ) -> Printed {
        Ok(print("variant", (nth, value.serialize(self)?)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, Unwritable> {
        Ok(self.unordered("sequence"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts, Unwritable> {
        Ok(self.ordered("tuple"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts, Unwritable> {
        Ok(self.ordered("tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        nth: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, Unwritable> {
        Ok(Parts { key: nth.into(), ..self.ordered("variant") })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts, Unwritable> {
        Ok(self.unordered("map"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts, Unwritable> {
        Ok(self.unordered("struct"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        nth: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, Unwritable> {
        Ok(Parts { key: nth.into(), ..self.unordered("variant") })
    }

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }
}

macro_rules! parts {
    ($($trait:ident::$method:ident)*) => {
        $(impl ser::$trait for Parts {
            type Ok = u64;
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.add("", value)
            }

            fn end(self) -> Printed {
                Self::end(self)
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field SerializeTupleVariant::serialize_field
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Parts {
            type Ok = u64;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.add(name, value)
            }

            fn end(self) -> Printed {
                Self::end(self)
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Parts {
    type Ok = u64;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = key.serialize(self.printer)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add("", value)
    }

    fn end(self) -> Printed {
        Self::end(self)
    }
}
