//! Rust's text as words and signs: comments, strings and numbers are gone.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Sign(char),
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Sign(_) => None,
        }
    }
}

/// Takes a text apart.
pub(crate) fn of(text: &str) -> Vec<Token> {
    let text: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&sign) = text.get(at) {
        let next = text.get(at + 1).copied().unwrap_or(' ');
        at = match sign {
            '/' if next == '/' => line_end(&text, at),
            '/' if next == '*' => comment_end(&text, at),
            '"' => string_end(&text, at),
            '\'' => quote_end(&text, at),
            _ if is_raw_string(&text, at) => raw_string_end(&text, at),
            'b' | 'c' if next == '"' => string_end(&text, at + 1),
            'b' if next == '\'' => quote_end(&text, at + 1),
            'r' if next == '#' => at + 2,
            _ if sign.is_alphabetic() || sign == '_' => {
                let end = word_end(&text, at);
                tokens.push(Token::Word(text[at..end].iter().collect()));
                end
            }
            _ if sign.is_ascii_digit() => word_end(&text, at),
            _ => {
                if !sign.is_whitespace() {
                    tokens.push(Token::Sign(sign));
                }
                at + 1
            }
        };
    }
    tokens
}

fn word_end(text: &[char], at: usize) -> usize {
    at + text[at..].iter().take_while(|sign| sign.is_alphanumeric() || **sign == '_').count()
}

fn line_end(text: &[char], at: usize) -> usize {
    at + text[at..].iter().take_while(|sign| **sign != '\n').count()
}

fn comment_end(text: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0, at);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(text: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// A character in quotes, or a lifetime.
fn quote_end(text: &[char], at: usize) -> usize {
    match text[at + 1..] {
        ['\\', _, ..] => at + 3 + text[at + 3..].iter().take_while(|sign| **sign != '\'').count() + 1,
        [_, '\'', ..] => at + 3,
        _ => word_end(text, at + 1),
    }
}

fn is_raw_string(text: &[char], at: usize) -> bool {
    let begin = match text[at..] {
        ['r', ..] => at + 1,
        ['b' | 'c', 'r', ..] => at + 2,
        _ => return false,
    };
    text[begin..].iter().find(|sign| **sign != '#') == Some(&'"')
}

fn raw_string_end(text: &[char], at: usize) -> usize {
    let begin = at + text[at..].iter().take_while(|sign| sign.is_alphabetic()).count();
    let marks = text[begin..].iter().take_while(|sign| **sign == '#').count();
    let mut end = begin + marks + 1;
    while end < text.len() {
        let is_end =
            text[end] == '"' && text[end + 1..].iter().take(marks).filter(|sign| **sign == '#').count() == marks;
        end += 1;
        if is_end {
            return end + marks;
        }
    }
    end
}
