use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use strata_report::KeyRow;

/// By what found keys are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyColumn {
    /// By name.
    #[default]
    Key,
    /// Those that lie in the most places first.
    Place,
    /// By group.
    Group,
    /// The newest first.
    Age,
    /// Those that expire soonest first; what has no deadline comes last.
    Left,
    /// The smallest first; what is not weighed comes first of all.
    Size,
}

/// In which order found keys are read; by name among equals. Written as the column's name, with a
/// dash before it where it runs the other way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyOrder {
    /// By what.
    pub column: KeyColumn,
    /// Whether it runs the other way.
    pub reversed: bool,
}

impl KeyColumn {
    /// Every column, in the order in which tables show them.
    pub const ALL: [Self; 6] =
        [Self::Key, Self::Place, Self::Group, Self::Age, Self::Left, Self::Size];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Place => "place",
            Self::Group => "group",
            Self::Age => "age",
            Self::Left => "left",
            Self::Size => "size",
        }
    }

    fn compare(self, a: &KeyRow, b: &KeyRow) -> Ordering {
        let place = |row: &KeyRow| (row.l2 != Some(true), usize::MAX - row.l1.len());
        let left = |row: &KeyRow| row.expires_in_ms.unwrap_or(u64::MAX);
        match self {
            Self::Key => Ordering::Equal,
            Self::Place => place(a).cmp(&place(b)),
            Self::Group => a.group.cmp(&b.group),
            Self::Age => a.age_ms.cmp(&b.age_ms),
            Self::Left => left(a).cmp(&left(b)),
            Self::Size => a.bytes.cmp(&b.bytes),
        }
    }
}

impl KeyOrder {
    /// The order that a click on this column's head asks for: the same column runs the other way.
    #[must_use]
    pub fn toward(self, column: KeyColumn) -> Self {
        Self { column, reversed: self.column == column && !self.reversed }
    }

    pub(crate) fn sort(self, rows: &mut [KeyRow]) {
        rows.sort_unstable_by(|a, b| {
            let order = self.column.compare(a, b).then_with(|| a.key.cmp(&b.key));
            if self.reversed { order.reverse() } else { order }
        });
    }
}

impl fmt::Display for KeyOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = if self.reversed { "-" } else { "" };
        write!(f, "{dash}{}", self.column.as_str())
    }
}

impl FromStr for KeyOrder {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let column = KeyColumn::ALL.into_iter().find(|column| column.as_str() == name);
        Ok(Self { column: column.ok_or(())?, reversed: name.len() < text.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, age_ms: u64) -> KeyRow {
        KeyRow { key: key.to_owned(), age_ms: Some(age_ms), ..KeyRow::default() }
    }

    #[test]
    fn rows_are_sorted_both_ways_and_by_name_among_equals() {
        let mut rows = [row("b", 1), row("c", 2), row("a", 1)];
        let mut sorted = |order: &str| {
            order.parse::<KeyOrder>().unwrap().sort(&mut rows);
            rows.iter().map(|row| row.key.as_str()).collect::<String>()
        };
        assert_eq!(sorted("age"), "abc");
        assert_eq!(sorted("-age"), "cba");
        assert_eq!(sorted("key"), "abc");
    }

    #[test]
    fn an_order_reads_back_from_its_text() {
        for column in KeyColumn::ALL {
            let order = KeyOrder::default().toward(column);
            for order in [order, order.toward(column)] {
                assert_eq!(order.to_string().parse(), Ok(order));
            }
        }
        assert_eq!("name".parse::<KeyOrder>(), Err(()));
    }
}
