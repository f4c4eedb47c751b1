//! Numbers as people read them. No data is [`DASH`], never zero, and nothing rounds up to 100 %.

/// What stands where there is no data.
pub(crate) const DASH: &str = "–";

// Narrow and unbreakable, so that "4 812" stays one number.
const GAP: char = '\u{202f}';

/// A count with its thousands set apart.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(GAP);
        }
        out.push(digit);
    }
    out
}

/// A count that is moka's estimate, marked as one.
pub(crate) fn estimate(n: u64) -> String {
    format!("~{}", count(n))
}

/// A rate per second, without its unit.
pub(crate) fn rate(per_s: Option<f64>) -> String {
    match per_s {
        None => DASH.to_owned(),
        Some(r) if r > 0.0 && r < 0.05 => "<0.1".to_owned(),
        Some(r) if r > 0.0 && r < 9.95 => fixed(r, 1),
        Some(r) => count(r.max(0.0).round() as u64),
    }
}

/// A share between 0 and 1 in percent. Only 1 itself is 100 %, and only 0 itself is 0 %.
pub(crate) fn percent(share: Option<f64>) -> String {
    let Some(share) = share.filter(|share| share.is_finite()) else { return DASH.to_owned() };
    let percent = share.clamp(0.0, 1.0) * 100.0;
    let text = if percent <= 0.0 {
        "0".to_owned()
    } else if percent < 0.01 {
        "<0.01".to_owned()
    } else if percent < 1.0 {
        fixed(percent, 2)
    } else if percent < 99.0 {
        fixed(percent, 1)
    } else if percent < 100.0 {
        // The small addend undoes the error of the multiplication, not of the share.
        fixed(((percent * 100.0 + 1e-6).floor() / 100.0).min(99.99), 2)
    } else {
        "100".to_owned()
    };
    format!("{text}{GAP}%")
}

/// A size in bytes, in binary units.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n}{GAP}B");
    }
    let mut value = n as f64;
    let mut unit = UNITS[0];
    for name in UNITS {
        value /= 1024.0;
        unit = name;
        if value < 1023.5 {
            break;
        }
    }
    format!("{}{GAP}{unit}", three_digits(value))
}

/// A measured duration, from nanoseconds to seconds.
pub(crate) fn duration(ns: Option<u64>) -> String {
    let Some(ns) = ns else { return DASH.to_owned() };
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns}{GAP}ns"),
        1_000..999_500 => (ns as f64 / 1e3, "µs"),
        999_500..999_500_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    format!("{}{GAP}{unit}", three_digits(value))
}

/// A lag that is measured in whole milliseconds.
pub(crate) fn lag(ns: Option<u64>) -> String {
    match ns {
        None => DASH.to_owned(),
        // What was counted as 0 ms.
        Some(0..=100) => format!("<1{GAP}ms"),
        Some(ns) => span(ns.div_ceil(1_000_000)),
    }
}

/// A range of durations; a unit that both share stands once.
pub(crate) fn range(low_ns: u64, high_ns: u64) -> String {
    let (low, high) = (duration(Some(low_ns)), duration(Some(high_ns)));
    match (low.split_once(GAP), high.split_once(GAP)) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} – {high}"),
        _ => format!("{low} – {high}"),
    }
}

/// How long ago or how long something took, in whole units.
pub(crate) fn span(ms: u64) -> String {
    match ms / 1000 {
        0 => format!("{ms}{GAP}ms"),
        s @ 1..120 => format!("{s}{GAP}s"),
        s @ 120..7_200 => format!("{}{GAP}min", s / 60),
        s @ 7_200..172_800 => format!("{}{GAP}h", s / 3_600),
        s => format!("{}{GAP}d", s / 86_400),
    }
}

/// A tick of an axis, short.
pub(crate) fn tick(value: f64) -> String {
    let (value, unit) = match value {
        v if v >= 1e6 => (v / 1e6, "M"),
        v if v >= 1e3 => (v / 1e3, "k"),
        v => (v, ""),
    };
    format!("{}{unit}", short(value, 2))
}

/// A number with a limited number of decimals, without zeros at its end.
pub(crate) fn short(value: f64, n_decimals: u32) -> String {
    let text = fixed(value, n_decimals);
    if n_decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The time of day in UTC.
pub(crate) fn clock(at_ms: u64) -> String {
    let s = at_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// "1 entry", "2 entries".
pub(crate) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

fn three_digits(value: f64) -> String {
    fixed(value, if value < 9.95 { 1 } else { 0 })
}

// By integers, because the standard way of writing a float is a large program.
fn fixed(value: f64, n_decimals: u32) -> String {
    let scale = 10_u64.pow(n_decimals);
    let scaled = (value.max(0.0) * scale as f64).round() as u64;
    if n_decimals == 0 {
        return scaled.to_string();
    }
    format!("{}.{:0width$}", scaled / scale, scaled % scale, width = n_decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: String) -> String {
        text.replace(GAP, " ")
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(plain(count(0)), "0");
        assert_eq!(plain(count(999)), "999");
        assert_eq!(plain(count(76_118)), "76 118");
        assert_eq!(plain(count(1_234_567)), "1 234 567");
        assert_eq!(plain(estimate(27_340)), "~27 340");
    }

    #[test]
    fn nothing_rounds_up_to_a_hundred_percent() {
        assert_eq!(plain(percent(Some(20_000.0 / 20_001.0))), "99.99 %");
        assert_eq!(plain(percent(Some(0.999_999_999))), "99.99 %");
        assert_eq!(plain(percent(Some(0.9999))), "99.99 %");
        assert_eq!(plain(percent(Some(0.9861))), "98.6 %");
        assert_eq!(plain(percent(Some(1.0))), "100 %");
    }

    #[test]
    fn nothing_rounds_down_to_zero_percent() {
        assert_eq!(plain(percent(Some(0.000_001))), "<0.01 %");
        assert_eq!(plain(percent(Some(0.0012))), "0.12 %");
        assert_eq!(plain(percent(Some(0.0))), "0 %");
        assert_eq!(rate(Some(0.01)), "<0.1");
    }

    #[test]
    fn no_data_is_a_dash() {
        assert_eq!(percent(None), DASH);
        assert_eq!(percent(Some(f64::NAN)), DASH);
        assert_eq!(rate(None), DASH);
        assert_eq!(duration(None), DASH);
    }

    #[test]
    fn rates_keep_a_decimal_while_they_are_small() {
        assert_eq!(rate(Some(0.0)), "0");
        assert_eq!(rate(Some(0.24)), "0.2");
        assert_eq!(rate(Some(9.96)), "10");
        assert_eq!(plain(rate(Some(4_811.6))), "4 812");
    }

    #[test]
    fn durations_reach_from_nanoseconds_to_seconds() {
        let cases = [
            (700, "700 ns"),
            (3_140, "3.1 µs"),
            (142_000, "142 µs"),
            (999_600, "1.0 ms"),
            (6_400_000, "6.4 ms"),
            (999_600_000, "1.0 s"),
            (48_000_000_000, "48 s"),
        ];
        for (ns, text) in cases {
            assert_eq!(plain(duration(Some(ns))), text);
        }
    }

    #[test]
    fn a_lag_is_no_finer_than_it_is_measured() {
        let cases = [(0, "<1 ms"), (72, "<1 ms"), (989_000, "1 ms"), (2_900_000, "3 ms")];
        for (ns, text) in cases {
            assert_eq!(plain(lag(Some(ns))), text);
        }
        assert_eq!(lag(None), DASH);
    }

    #[test]
    fn a_range_names_a_shared_unit_once() {
        assert_eq!(plain(range(103_000_000, 142_000_000)), "103 – 142 ms");
        assert_eq!(plain(range(900_000_000, 2_100_000_000)), "900 ms – 2.1 s");
    }

    #[test]
    fn sizes_use_binary_units() {
        assert_eq!(plain(bytes(0)), "0 B");
        assert_eq!(plain(bytes(1_536)), "1.5 KiB");
        assert_eq!(plain(bytes(8 * 1024 * 1024)), "8.0 MiB");
        assert_eq!(plain(bytes(1_048_500)), "1.0 MiB");
        assert_eq!(plain(bytes(268_435_456)), "256 MiB");
    }

    #[test]
    fn spans_are_whole_units() {
        assert_eq!(plain(span(200)), "200 ms");
        assert_eq!(plain(span(119_999)), "119 s");
        assert_eq!(plain(span(120_000)), "2 min");
        assert_eq!(plain(span(7_200_000)), "2 h");
        assert_eq!(plain(span(200_000_000)), "2 d");
    }

    #[test]
    fn ticks_are_short() {
        let texts = [0.0, 0.5, 2.5, 40.0, 1_500.0, 6_000.0, 2_000_000.0].map(tick);
        assert_eq!(texts, ["0", "0.5", "2.5", "40", "1.5k", "6k", "2M"]);
    }

    #[test]
    fn settings_keep_their_decimals_and_lose_their_zeros() {
        assert_eq!(short(0.99, 4), "0.99");
        assert_eq!(short(0.0005, 4), "0.0005");
        assert_eq!(short(600.0, 4), "600");
        assert_eq!(short(100.0, 0), "100");
    }

    #[test]
    fn the_clock_is_utc() {
        assert_eq!(clock(1_700_000_000_000), "22:13:20");
    }
}
