//! Just enough of Rust's grammar to see which paths a source names.

/// Every path of two parts or more, and every plain `use`, with groups spread out.
pub(crate) fn paths(tokens: &[(usize, String)]) -> Vec<(usize, Vec<String>)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|i| tokens[i].1.as_str());
        let is_start = is_identifier(&tokens[at].1) && before != Some("::");
        let is_path = tokens.get(at + 1).is_some_and(|t| t.1 == "::");
        let is_use = before == Some("use");
        if is_start && (is_path || is_use) {
            at = spread(tokens, at, &[], &mut out);
        } else {
            at += 1;
        }
    }
    out
}

/// Follows the path at `at` behind `prefix`; gives where it ends.
fn spread(
    tokens: &[(usize, String)],
    mut at: usize,
    prefix: &[String],
    out: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let line = tokens[at].0;
    let mut path = prefix.to_vec();
    while let Some((_, token)) = tokens.get(at) {
        if token == "{" && !path.is_empty() {
            at += 1;
            while tokens.get(at).is_some_and(|t| t.1 != "}") {
                if tokens[at].1 == "," {
                    at += 1;
                } else {
                    let next = spread(tokens, at, &path, out);
                    at = next.max(at + 1);
                }
            }
            return at + 1;
        }
        if !is_identifier(token) && token != "*" {
            break;
        }
        path.push(token.clone());
        at += 1;
        if tokens.get(at).is_none_or(|t| t.1 != "::") {
            break;
        }
        at += 1;
    }
    out.push((line, path));
    at
}

fn is_identifier(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Identifiers, `::`, and single other characters, each with its line.
pub(crate) fn tokens(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let (mut line, mut rest) = (1, text);
    while let Some(c) = rest.chars().next() {
        let length = if c.is_alphanumeric() || c == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        let (token, tail) = rest.split_at(length);
        if c == '\n' {
            line += 1;
        } else if !c.is_whitespace() {
            out.push((line, token.to_owned()));
        }
        rest = tail;
    }
    out
}

pub(crate) fn without_comments(text: &str) -> String {
    blank(text, false)
}

pub(crate) fn without_literals(text: &str) -> String {
    blank(text, true)
}

/// Blanks out comments, and string and character literals if told so; line ends stay.
fn blank(text: &str, literals: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (length, is_blank) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), true)
        } else if rest.starts_with("/*") {
            (block_comment(rest), true)
        } else if let Some(length) = literal(rest, out.chars().last()) {
            (length, literals)
        } else {
            (c.len_utf8(), false)
        };
        let (part, tail) = rest.split_at(length);
        if is_blank {
            out.extend(part.chars().filter(|c| *c == '\n'));
            out.push(' ');
        } else {
            out.push_str(part);
        }
        rest = tail;
    }
    out
}

/// Length of the comment at the start, with those inside it.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Length of the string or character literal at the start, if there is one.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let bytes = text.as_bytes();
    let inside_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if bytes[0] == b'r' && !inside_word {
        let hashes = bytes[1..].iter().take_while(|b| **b == b'#').count();
        if bytes.get(1 + hashes) == Some(&b'"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = hashes + 2;
            return Some(
                text[body..]
                    .find(&end)
                    .map_or(text.len(), |at| body + at + end.len()),
            );
        }
    }
    let quote = bytes[0];
    if quote != b'"' && quote != b'\'' {
        return None;
    }
    if quote == b'\'' {
        let mut chars = text[1..].char_indices();
        let (_, first) = chars.next()?;
        // A lifetime has no second quote behind its first letter.
        if first != '\\' && chars.next().is_none_or(|(_, c)| c != '\'') {
            return None;
        }
    }
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    Some((at + 1).min(text.len()))
}

/// Blanks out `#[cfg(test)]` modules.
pub(crate) fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let open = item.find('{').unwrap_or(item.len());
        let semicolon = item.find(';').map_or(item.len(), |at| at + 1);
        let end = if semicolon < open {
            semicolon
        } else {
            let mut depth = 0;
            item.char_indices()
                .skip_while(|(at, _)| *at < open)
                .find(|(_, c)| {
                    depth += i32::from(*c == '{') - i32::from(*c == '}');
                    depth == 0
                })
                .map_or(item.len(), |(at, _)| at + 1)
        };
        out.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    out + rest
}
