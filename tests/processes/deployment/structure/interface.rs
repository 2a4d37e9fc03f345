//! What a crate's public items say of the libraries behind them. Read from the text: an item is public if it says `pub`
//! and no more, wherever it is.

use std::collections::BTreeSet;

use super::{
    reader::{end_of, is_for_tests},
    tokens::{self, Token},
};

/// Words that begin an item; after `pub`, anything else is a field.
const ITEMS: [&str; 12] =
    ["async", "const", "enum", "extern", "fn", "mod", "static", "struct", "trait", "type", "union", "use"];
/// Items that are public as a whole.
const WHOLE: [&str; 2] = ["enum", "trait"];

/// Public items, and implementations for public types, that name something of `libraries`.
pub(crate) fn showing(text: &str, libraries: &[&str]) -> Vec<String> {
    let tokens = tokens::of(text);
    let (names, private) = (names_of(&tokens, libraries), private_types(&tokens));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_for_tests(&tokens[at..]) {
            at = after_block(&tokens, at);
            continue;
        }
        let said = match tokens[at].word() {
            Some("pub") if tokens.get(at + 1) != Some(&Token::Sign('(')) => item(&tokens[at + 1..]),
            Some("impl") if at == 0 || ends_an_item(&tokens[at - 1]) => {
                let head = until(&tokens[at..], &['{', ';']);
                if type_of(head).is_some_and(|name| private.contains(name)) { &[] } else { head }
            }
            _ => &[],
        };
        if said.iter().filter_map(Token::word).any(|word| names.contains(word)) {
            found.push(said.iter().take(24).map(shown).collect::<Vec<_>>().join(" "));
        }
        at += 1;
    }
    found
}

/// The names that a file has from `libraries`, and their own.
fn names_of(tokens: &[Token], libraries: &[&str]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = libraries.iter().map(|&name| name.to_owned()).collect();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.word() == Some("use")) {
        let tree = until(&tokens[at + 1..], &[';']);
        if !tree.first().and_then(Token::word).is_some_and(|first| libraries.contains(&first)) {
            continue;
        }
        for (place, word) in tree.iter().enumerate().filter_map(|(place, token)| Some((place, token.word()?))) {
            let is_renamed = tree.get(place + 1).and_then(Token::word) == Some("as");
            if !is_renamed && !["as", "self", "_"].contains(&word) {
                names.insert(word.to_owned());
            }
        }
    }
    names
}

/// The types of a file that are not public.
fn private_types(tokens: &[Token]) -> BTreeSet<&str> {
    let is_type = |pair: &[Token]| pair[0].word().is_some_and(|word| ["struct", "enum", "union"].contains(&word));
    let pairs = tokens.windows(2).enumerate().filter(|(_, pair)| is_type(pair));
    let private = pairs.filter(|(at, _)| *at == 0 || tokens[at - 1].word() != Some("pub"));
    private.filter_map(|(_, pair)| pair[1].word()).collect()
}

/// The type that an implementation is for, from its head.
fn type_of(head: &[Token]) -> Option<&str> {
    let is_for = |pair: &[Token]| pair[0].word() == Some("for") && pair[1] != Token::Sign('<');
    match head.windows(2).rposition(is_for) {
        Some(place) => head[place + 1].word(),
        None => head[1 + generics(&head[1..])..].first()?.word(),
    }
}

/// How many of `tokens` are the generic parameters that they begin with.
fn generics(tokens: &[Token]) -> usize {
    let mut depth = 0;
    let ends = |token: &Token| {
        match token {
            Token::Sign('<') => depth += 1,
            Token::Sign('>') => depth -= 1,
            _ => {}
        }
        depth == 0
    };
    match tokens.first() {
        Some(Token::Sign('<')) => tokens.iter().position(ends).map_or(tokens.len(), |end| end + 1),
        _ => 0,
    }
}

/// What a public item says, from the word after `pub`.
fn item(tokens: &[Token]) -> &[Token] {
    let Some(word) = tokens.first().and_then(Token::word) else { return until(tokens, &[',', ')']) };
    match word {
        _ if WHOLE.contains(&word) => {
            let head = until(tokens, &['{', ';']).len();
            &tokens[..end_of(tokens, head)]
        }
        "use" => until(tokens, &[';']),
        "struct" => until(tokens, &['{', '(', ';']),
        _ if ITEMS.contains(&word) => until(tokens, &['{', ';']),
        _ => until(tokens, &[',', '}', ')']),
    }
}

/// Tokens before the first of `ends` that is outside round and square brackets.
fn until<'a>(tokens: &'a [Token], ends: &[char]) -> &'a [Token] {
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        let Token::Sign(sign) = token else { return false };
        if depth == 0 && ends.contains(sign) {
            return true;
        }
        match sign {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        false
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

fn after_block(tokens: &[Token], at: usize) -> usize {
    let head = tokens[at..].iter().position(|token| matches!(token, Token::Sign('{' | ';')));
    head.map_or(tokens.len(), |head| end_of(tokens, at + head))
}

fn ends_an_item(token: &Token) -> bool {
    matches!(token, Token::Sign('}' | ';' | ']' | '{'))
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::Sign(sign) => sign.to_string(),
    }
}
