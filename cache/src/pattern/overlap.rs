use super::{Head, Pattern};

impl Pattern {
    /// Whether some text matches both patterns. Takes time in the product of their lengths.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.heads(), other.heads());
        let width = b.len() + 1;
        let mut seen = vec![false; (a.len() + 1) * width];
        let mut places = vec![(0, 0)];
        while let Some((i, j)) = places.pop() {
            if (i, j) == (a.len(), b.len()) {
                return true;
            }
            if std::mem::replace(&mut seen[i * width + j], true) {
                continue;
            }
            let (mine, theirs) = (a.get(i), b.get(j));
            // A star may end here, or match whatever the other pattern matches next.
            if matches!(mine, Some(Head::Star)) {
                places.push((i + 1, j));
                places.extend(theirs.map(|_| (i, j + 1)));
            }
            if matches!(theirs, Some(Head::Star)) {
                places.push((i, j + 1));
                places.extend(mine.map(|_| (i + 1, j)));
            }
            if let (Some(Head::Byte(mine)), Some(Head::Byte(theirs))) = (mine, theirs)
                && mine.iter().zip(theirs.iter()).any(|(a, b)| *a && *b)
            {
                places.push((i + 1, j + 1));
            }
        }
        false
    }

    /// Whether it matches every text.
    pub fn matches_all(&self) -> bool {
        self.as_str().bytes().all(|byte| byte == b'*')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn overlaps(a: &str, b: &str) -> bool {
        let (a, b) = (Pattern::parse(a).unwrap(), Pattern::parse(b).unwrap());
        assert_eq!(a.overlaps(&b), b.overlaps(&a));
        a.overlaps(&b)
    }

    #[test]
    fn patterns_overlap_where_one_text_matches_both() {
        for (a, b) in [("*", "x"), ("a*c", "ab*"), ("4?", "?2"), ("[a-f]*", "*[e-z]"), ("**", "?")]
        {
            assert!(overlaps(a, b), "{a} {b}");
        }
        for (a, b) in [("a", "b"), ("a*", "b*"), ("4?", "4"), ("[a-c]", "[d-f]"), ("\\*", "x*")] {
            assert!(!overlaps(a, b), "{a} {b}");
        }
    }

    #[test]
    fn only_stars_match_everything() {
        let all = |text| Pattern::parse(text).unwrap().matches_all();
        assert!(all("*") && all("***"));
        assert!(!all("?*") && !all("\\*"));
    }

    proptest! {
        #[test]
        fn what_both_match_is_never_missed(a in "[ab*?]{1,6}", b in "[ab*?]{1,6}", key in "[ab]{0,6}") {
            let (a, b) = (Pattern::parse(&a).unwrap(), Pattern::parse(&b).unwrap());
            if a.matches(&key) && b.matches(&key) {
                prop_assert!(a.overlaps(&b));
            }
        }
    }
}
