/// The least and the most of what was counted, in the unit of what holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extremes {
    least: u64,
    most: u64,
}

impl Extremes {
    /// Of nothing.
    pub const NONE: Self = Self { least: u64::MAX, most: 0 };
    /// Of what was counted by somebody who did not keep them.
    pub const UNKNOWN: Self = Self { least: 0, most: u64::MAX };

    /// Of one value.
    pub fn of(value: u64) -> Self {
        Self { least: value, most: value }
    }

    /// As two counters had them that were read while somebody counted.
    pub fn between(least: u64, most: u64) -> Self {
        match (least, most) {
            (u64::MAX, 0) => Self::NONE,
            _ if least > most => Self::UNKNOWN,
            _ => Self { least, most },
        }
    }

    /// Of both together.
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// The value that is nearest and between them.
    pub fn clamp(self, value: u64) -> u64 {
        value.max(self.least).min(self.most)
    }

    /// Both, or zeros where they are not known.
    pub(crate) fn known(self) -> (u64, u64) {
        if self == Self::UNKNOWN || self == Self::NONE { (0, 0) } else { (self.least, self.most) }
    }

    /// Back from [`Extremes::known`] of something.
    pub(crate) fn read(least: u64, most: u64) -> Self {
        if most == 0 && least == 0 { Self::UNKNOWN } else { Self::between(least, most) }
    }
}
