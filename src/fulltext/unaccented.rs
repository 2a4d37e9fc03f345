//! Endings that people type without their accents, and that a stemmer knows only with them.

/// What the end of a word may have been: for each language its endings without accents, and with them.
const ENDINGS: &[(&str, &[(&str, &str)])] = &[
    (
        "french",
        &[("ite", "ité"), ("ites", "ités"), ("e", "é"), ("ee", "ée"), ("es", "és"), ("ees", "ées"), ("erent", "èrent")],
    ),
    (
        "hungarian",
        &[
            ("bol", "ból"),
            ("rol", "ról"),
            ("tol", "tól"),
            ("nal", "nál"),
            ("nel", "nél"),
            ("ert", "ért"),
            ("kent", "ként"),
        ],
    ),
    ("italian", &[("ita", "ità"), ("o", "ò"), ("a", "à")]),
    (
        "portuguese",
        &[
            ("acao", "ação"),
            ("acoes", "ações"),
            ("cao", "ção"),
            ("coes", "ções"),
            ("encia", "ência"),
            ("encias", "ências"),
            ("avel", "ável"),
            ("ivel", "ível"),
            ("ia", "ía"),
        ],
    ),
    (
        "romanian",
        &[
            ("atie", "aţie"),
            ("atii", "aţii"),
            ("tie", "ţie"),
            ("tii", "ţii"),
            ("a", "ă"),
            ("eaza", "ează"),
            ("esti", "eşti"),
        ],
    ),
    (
        "spanish",
        &[
            ("acion", "ación"),
            ("ucion", "ución"),
            ("logia", "logía"),
            ("logias", "logías"),
            ("ia", "ía"),
            ("ias", "ías"),
            ("ian", "ían"),
            ("io", "ió"),
            ("es", "és"),
            ("is", "ís"),
            ("ara", "ará"),
            ("era", "erá"),
            ("ira", "irá"),
        ],
    ),
];

/// What a word of a language may have been before its end lost its accents.
pub(super) fn restored<'w>(language: &str, word: &'w str) -> impl Iterator<Item = String> + 'w {
    let endings = ENDINGS.iter().find(|(name, _)| *name == language).map_or(&[][..], |(_, endings)| endings);
    endings.iter().filter_map(|(without, with)| Some(format!("{}{with}", word.strip_suffix(without)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fulltext::fold::FoldedText;

    #[test]
    fn accents_are_all_that_is_different() {
        for (without, with) in ENDINGS.iter().flat_map(|(_, endings)| *endings) {
            assert_eq!(FoldedText::of(with).text, *without);
        }
    }

    #[test]
    fn an_end_gets_its_accents_back() {
        assert!(restored("spanish", "informacion").any(|word| word == "información"));
        assert_eq!(restored("english", "informacion").count(), 0);
    }
}
