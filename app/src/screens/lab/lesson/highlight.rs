const KEYWORDS: [&str; 30] = [
    "as", "async", "await", "break", "const", "continue", "crate", "else", "enum", "false", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "move", "mut", "pub", "return", "self",
    "Self", "struct", "super", "true", "use", "where", "while",
];

/// Rust as HTML whose comments, texts and keywords carry a class.
pub(super) fn coloured(code: &str) -> String {
    let mut html = String::with_capacity(code.len() * 2);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, len) = match first {
            '/' if rest.starts_with("//") => ("comment", rest.find('\n').unwrap_or(rest.len())),
            '"' => ("text", text_len(rest)),
            c if is_of_word(c) => {
                let len = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                (if KEYWORDS.contains(&&rest[..len]) { "keyword" } else { "" }, len)
            }
            c => ("", c.len_utf8()),
        };
        let (piece, after) = rest.split_at(len);
        push(&mut html, class, piece);
        rest = after;
    }
    html
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

// As far as the quote that ends it.
fn text_len(rest: &str) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return i + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

fn push(html: &mut String, class: &str, piece: &str) {
    if !class.is_empty() {
        html.push_str("<span class=\"");
        html.push_str(class);
        html.push_str("\">");
    }
    for c in piece.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    if !class.is_empty() {
        html.push_str("</span>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_texts_and_keywords_carry_a_class() {
        assert_eq!(
            coloured("let a = \"\\\"b\"; // & so\nfnord"),
            "<span class=\"keyword\">let</span> a = \
             <span class=\"text\">&quot;\\&quot;b&quot;</span>; \
             <span class=\"comment\">// &amp; so</span>\nfnord"
        );
    }

    #[test]
    fn code_is_text() {
        assert_eq!(coloured("Cache<u64>"), "Cache&lt;u64&gt;");
    }

    #[test]
    fn nothing_is_lost() {
        for kind in strata_lab::StrategyKind::ALL {
            let html = coloured(kind.code());
            let text = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, t)| t));
            let text: String = text.collect();
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            assert_eq!(text.replace("&amp;", "&"), kind.code());
        }
    }
}
