//! Reads one file: what it defines, what it imports, which paths its code writes out. Tests inside it are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    source::{File, Import, ModulePath},
    tokens::{self, Token},
};

/// Words that come before the name of an item.
const ITEMS: [&str; 9] = ["struct", "enum", "union", "trait", "fn", "type", "const", "static", "macro_rules"];

/// What was read.
pub(crate) struct ParsedFile {
    pub(crate) file: File,
    /// Files that hold tests alone.
    pub(crate) tests: Vec<ModulePath>,
}

/// Reads the file at `place` of a crate that has files at `places`.
pub(crate) fn read(text: &str, place: &ModulePath, places: &BTreeSet<ModulePath>) -> ParsedFile {
    let tokens = tokens::of(text);
    let mut reader =
        Reader { places, place, inside: place.clone(), depth: 0, modules: Vec::new(), read: ParsedFile::new() };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.step(&tokens, at);
    }
    reader.read
}

impl ParsedFile {
    fn new() -> Self {
        Self { file: File::default(), tests: Vec::new() }
    }
}

struct Reader<'a> {
    places: &'a BTreeSet<ModulePath>,
    place: &'a ModulePath,
    /// The module being read: of the file, or one that is written out in it.
    inside: ModulePath,
    /// Open braces.
    depth: usize,
    /// How many braces were open where each module that is written out begins.
    modules: Vec<usize>,
    read: ParsedFile,
}

impl Reader<'_> {
    /// Reads on from `at`; answers where to go on.
    fn step(&mut self, tokens: &[Token], at: usize) -> usize {
        match &tokens[at] {
            Token::Sign('#') if is_for_tests(&tokens[at..]) => return self.pass_over(tokens, end_of(tokens, at + 1)),
            Token::Sign('{') => self.depth += 1,
            Token::Sign('}') => {
                self.depth -= 1;
                if self.modules.last() == Some(&self.depth) {
                    self.modules.pop();
                    self.inside.pop();
                }
            }
            Token::Sign(_) => {}
            Token::Word(word) => return self.word(tokens, at, word),
        }
        at + 1
    }

    fn word(&mut self, tokens: &[Token], at: usize, word: &str) -> usize {
        match word {
            // `pub(in crate::here)` imports nothing.
            "pub" if tokens.get(at + 1) == Some(&Token::Sign('(')) => return end_of(tokens, at + 1),
            // `use<'a>` says what a returned type borrows.
            "use" if tokens.get(at + 1) != Some(&Token::Sign('<')) => return self.import(tokens, at),
            "mod" => {
                let Some(name) = tokens.get(at + 1).and_then(Token::word) else { return at + 1 };
                if tokens.get(at + 2) == Some(&Token::Sign('{')) {
                    self.inside.push(name.to_owned());
                    self.modules.push(self.depth);
                } else {
                    self.read.file.children.insert(name.to_owned());
                }
                return at + 2;
            }
            _ => {}
        }
        let path = path_at(tokens, at);
        let is_part = at > 0 && matches!(tokens[at - 1], Token::Sign('.' | ':'));
        if path.len() > 1 && !is_part {
            self.note(&path);
        }
        path.iter().for_each(|word| self.read.file.note_word(word));
        if self.depth == 0 && ITEMS.contains(&word) {
            let name = tokens[at + 1..].iter().take(2).filter_map(Token::word).find(|name| !ITEMS.contains(name));
            self.read.file.items.extend(name.map(str::to_owned));
        }
        at + 3 * (path.len() - 1) + 1
    }

    /// Passes an item over that is for tests alone.
    fn pass_over(&mut self, tokens: &[Token], mut at: usize) -> usize {
        let begin = at;
        while at < tokens.len() {
            match &tokens[at] {
                Token::Sign(';') => break,
                Token::Sign('{') if !tokens[begin..at].contains(&Token::Word("use".to_owned())) => {
                    return end_of(tokens, at);
                }
                Token::Sign('(' | '[' | '{') => at = end_of(tokens, at),
                _ => at += 1,
            }
        }
        if let Some(name) =
            tokens[begin..at].windows(2).find(|pair| pair[0].word() == Some("mod")).and_then(|p| p[1].word())
        {
            self.read.tests.push([self.inside.as_slice(), &[name.to_owned()]].concat());
        }
        at + 1
    }

    /// Reads a `use` from `at` to its end.
    fn import(&mut self, tokens: &[Token], at: usize) -> usize {
        let end = at + tokens[at..].iter().position(|token| *token == Token::Sign(';')).unwrap_or(tokens.len() - at);
        let before = &tokens[at.saturating_sub(8)..at];
        let is_public =
            before.iter().rev().take_while(|token| !is_boundary(token)).any(|token| token.word() == Some("pub"));
        self.tree(&tokens[at + 1..end], &[], is_public);
        end
    }

    fn tree(&mut self, tokens: &[Token], before: &[String], is_public: bool) {
        let mut path = before.to_vec();
        let mut called = None;
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                Token::Sign('{') => {
                    let inner = &tokens[at + 1..end_of(tokens, at) - 1];
                    parts(inner).into_iter().for_each(|part| self.tree(part, &path, is_public));
                    return;
                }
                Token::Sign('*') => {
                    if let Some(whole) = self.whole(&path) {
                        self.read.file.globs.push(whole.clone());
                        self.read.file.paths.push(whole);
                    }
                    return;
                }
                Token::Word(word) if word == "as" => {
                    called = tokens.get(at + 1).and_then(Token::word).map(str::to_owned);
                    at += 1;
                }
                Token::Word(word) => path.push(word.clone()),
                Token::Sign(_) => {}
            }
            at += 1;
        }
        if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
            path.pop();
        }
        self.imported(&path, called, is_public);
    }

    fn imported(&mut self, path: &[String], called: Option<String>, is_public: bool) {
        let (Some(first), Some(last)) = (path.first(), path.last()) else { return };
        let Some(whole) = self.whole(path) else {
            self.read.file.foreign.insert(first.clone());
            return;
        };
        let called = called.unwrap_or_else(|| last.clone());
        // What is called `_` is there all the same, and what a module inside imports is used there.
        if called == "_" || self.inside != *self.place {
            self.read.file.paths.push(whole);
        } else {
            self.read.file.names.insert(called, Import { path: whole, is_public });
        }
    }

    /// The whole path from the crate's root; `None` if it leads out of the crate or is a name of this file.
    fn whole(&self, path: &[String]) -> Option<ModulePath> {
        let (mut at, mut rest) = (self.inside.clone(), path);
        match path.first()?.as_str() {
            "crate" => (at, rest) = (ModulePath::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                let child = [at.as_slice(), &[first.to_owned()]].concat();
                if !self.places.contains(&child) {
                    return None;
                }
            }
        }
        Some([at.as_slice(), rest].concat())
    }

    fn note(&mut self, path: &[String]) {
        match self.whole(path) {
            Some(whole) => self.read.file.paths.push(whole),
            None => drop(self.read.file.foreign.insert(path[0].clone())),
        }
    }
}

fn is_boundary(token: &Token) -> bool {
    matches!(token, Token::Sign(';' | '}' | '{' | ']'))
}

/// The words of the path that begins at `at`.
fn path_at(tokens: &[Token], mut at: usize) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(word) = tokens.get(at).and_then(Token::word) {
        path.push(word.to_owned());
        match tokens.get(at + 1..at + 4) {
            Some([Token::Sign(':'), Token::Sign(':'), Token::Word(_)]) => at += 3,
            _ => break,
        }
    }
    path
}

/// The position after the bracket that closes the one at `at`.
pub(crate) fn end_of(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The parts between commas outside brackets.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut all, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at] {
            Token::Sign('{') => at = end_of(tokens, at),
            Token::Sign(',') => {
                all.push(&tokens[begin..at]);
                at += 1;
                begin = at;
            }
            _ => at += 1,
        }
    }
    all.push(&tokens[begin..]);
    all.retain(|part| !part.is_empty());
    all
}

/// `#[cfg(test)]`
pub(crate) fn is_for_tests(tokens: &[Token]) -> bool {
    let text = |token: &Token| match token {
        Token::Word(word) => word.clone(),
        Token::Sign(sign) => sign.to_string(),
    };
    tokens.iter().take(7).map(text).collect::<String>() == "#[cfg(test)]"
}

/// How often each word occurs in a file.
pub(crate) type Words = BTreeMap<String, usize>;
