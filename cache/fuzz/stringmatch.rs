//! Redis's glob, `stringmatchlen_impl` of its `util.c`, step by step, which L2 uses. It is separate
//! from L1's own glob, so that the two can be compared.

/// Whether the pattern matches according to Redis. Bytes are compared as on platforms where `char`
/// is signed, such as x86.
pub(crate) fn redis_matches(pattern: &[u8], string: &[u8]) -> bool {
    matches(pattern, string, &mut false, 0)
}

fn matches(mut p: &[u8], mut s: &[u8], skip_longer: &mut bool, nesting: u32) -> bool {
    if nesting > 1000 {
        return false;
    }
    while !p.is_empty() && !s.is_empty() {
        match p[0] {
            b'*' => {
                while p.get(1) == Some(&b'*') {
                    p = &p[1..];
                }
                if p.len() == 1 {
                    return true;
                }
                while !s.is_empty() {
                    if matches(&p[1..], s, skip_longer, nesting + 1) {
                        return true;
                    }
                    if *skip_longer {
                        return false;
                    }
                    s = &s[1..];
                }
                *skip_longer = true;
                return false;
            }
            b'?' => {}
            b'[' => match class(&p[1..], s[0]) {
                (true, rest) => p = rest,
                (false, _) => return false,
            },
            b'\\' if p.len() >= 2 => {
                p = &p[1..];
                if p[0] != s[0] {
                    return false;
                }
            }
            literal if literal != s[0] => return false,
            _ => {}
        }
        s = &s[1..];
        p = p.get(1..).unwrap_or_default();
        if s.is_empty() {
            while p.first() == Some(&b'*') {
                p = &p[1..];
            }
            break;
        }
    }
    p.is_empty() && s.is_empty()
}

/// Returns whether the class matches the byte, and the pattern from the class's last byte on.
fn class(mut p: &[u8], byte: u8) -> (bool, &[u8]) {
    let inverted = p.first() == Some(&b'^');
    if inverted {
        p = &p[1..];
    }
    let mut found = false;
    loop {
        if p.len() >= 2 && p[0] == b'\\' {
            p = &p[1..];
            found |= p[0] == byte;
        } else if p.is_empty() || p[0] == b']' {
            break;
        } else if p.len() >= 3 && p[1] == b'-' {
            let (a, b, c) = (p[0] as i8, p[2] as i8, byte as i8);
            found |= (a.min(b)..=a.max(b)).contains(&c);
            p = &p[2..];
        } else {
            found |= p[0] == byte;
        }
        p = &p[1..];
    }
    (found != inverted, p)
}
