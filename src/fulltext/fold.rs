//! Texts as they are compared: one form for everything that people write in several.
//!
//! Compatibility forms (`ﬁ`, full and half width), capitals, accents, points and tone marks, letters that people type
//! without their stroke (`ł`, `ø`, `ß`), and invisible characters. Marks that make another letter stay: vowel signs of
//! Indic scripts,
//! `й`, voiced kana.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// A text in the form in which it is compared, which knows where it came from.
#[derive(Debug, Default)]
pub(super) struct FoldedText {
    pub(super) text: String,
    /// In order.
    pieces: Vec<Piece>,
}

/// A part of a folded text.
#[derive(Debug)]
struct Piece {
    /// Where it begins in the folded text.
    start: usize,
    /// What it was made of.
    origin: Range<usize>,
    /// Whether each of its bytes was made of one byte.
    is_plain: bool,
}

impl FoldedText {
    /// Folds `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(text.len()), pieces: Vec::new() };
        let mut at = 0;
        while at < text.len() {
            let start = folded.text.len();
            let plain = plain_ascii(&text[at..]);
            let taken = if plain > 0 {
                folded.text.push_str(&text[at..at + plain]);
                folded.text[start..].make_ascii_lowercase();
                plain
            } else {
                let cluster = text[at..].graphemes(true).next().unwrap_or(&text[at..]);
                fold_cluster(cluster, &mut folded.text);
                cluster.len()
            };
            if folded.text.len() > start {
                folded.pieces.push(Piece { start, origin: at..at + taken, is_plain: plain > 0 });
            }
            at += taken;
        }
        folded
    }

    /// The bytes of the original from which these bytes of the folded text were made.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        if self.pieces.is_empty() || range.is_empty() {
            return 0..0;
        }
        let piece = |at: usize| &self.pieces[self.pieces.partition_point(|piece| piece.start <= at).saturating_sub(1)];
        let (first, last) = (piece(range.start), piece(range.end - 1));
        let start = first.origin.start + if first.is_plain { range.start - first.start } else { 0 };
        let end = if last.is_plain { last.origin.start + range.end - last.start } else { last.origin.end };
        start..end
    }
}

/// A word as it is written: in small letters and one form, with its accents, without what nobody sees.
pub(super) fn written(word: &str) -> String {
    word.nfkc().flat_map(char::to_lowercase).filter(|c| !is_unseen(*c)).collect()
}

/// How many bytes from the beginning are ASCII that no mark behind them can change.
fn plain_ascii(text: &str) -> usize {
    match text.bytes().position(|byte| !byte.is_ascii()) {
        None => text.len(),
        Some(end) => end.saturating_sub(1),
    }
}

fn fold_cluster(cluster: &str, to: &mut String) {
    let mut base = ' ';
    let folded: String = cluster
        .nfkd()
        .flat_map(char::to_lowercase)
        .filter_map(|c| {
            let kept = fold_char(c, base)?;
            if !is_combining_mark(kept) {
                base = kept;
            }
            Some(kept)
        })
        .nfc()
        .collect();
    for c in folded.chars() {
        match c {
            '\u{df}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {
                to.extend(any_ascii::any_ascii_char(c).chars().map(|c| c.to_ascii_lowercase()));
            }
            c => to.push(c),
        }
    }
}

/// A character of a decomposed text as it is compared, behind `base`; `None` if it makes no difference.
fn fold_char(c: char, base: char) -> Option<char> {
    match c {
        // Short и is a letter of its own, and so is ї; stresses and the dots of ё are left out by most.
        '\u{306}' | '\u{308}' if matches!(base, '\u{400}'..='\u{52f}') && base != 'е' => Some(c),
        // The stroke of ≠ and ∉ says the opposite.
        '\u{338}' if !base.is_alphanumeric() && base != ' ' => Some(c),
        _ if is_unseen(c) || is_left_out(c) => None,
        'ς' => Some('σ'),
        // Persian and Urdu keyboards have letters of their own for what looks the same in Arabic.
        '\u{6a9}' => Some('\u{643}'),
        '\u{6cc}' | '\u{649}' => Some('\u{64a}'),
        // Chandrabindu and anusvara.
        '\u{901}' => Some('\u{902}'),
        c => Some(c),
    }
}

/// Soft hyphens, joiners, direction marks, variation selectors, skin tones.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e01ef}')
}

/// Marks that people leave out, or set without another meaning.
fn is_left_out(c: char) -> bool {
    matches!(c,
        // Latin, Greek, Cyrillic
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        // Hebrew points
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        // Arabic points, and the stroke that only makes a word longer
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
        | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        // Nuktas
        | '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{abc}' | '\u{b3c}' | '\u{cbc}'
        // Thai and Lao tone marks
        | '\u{e48}'..='\u{e4c}' | '\u{ec8}'..='\u{ecc}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        FoldedText::of(text).text
    }

    #[test]
    fn what_people_write_in_several_ways_is_one() {
        for (written, compared) in [
            ("ﬁnance ＡＢＣ①", "finance abc1"),
            ("Żółć Ørsted Straße đuro Æsir", "zolc orsted strasse duro aesir"),
            ("Ёжик и ёлка, мой", "ежик и елка, мой"),
            ("soft\u{ad}hyphen zero\u{200b}width", "softhyphen zerowidth"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد كـتاب", "محمد كتاب"),
            ("Ὀδυσσεύς ΟΔΥΣΣΕΥΣ", "οδυσσευσ οδυσσευσ"),
            ("แม่น้ำ", "แมนํา"),
            ("ｶﾞﾗｽ ガラス", "ガラス ガラス"),
            ("İstanbul ISTANBUL ılık", "istanbul istanbul ilik"),
            ("क़लम", "कलम"),
        ] {
            assert_eq!(folded(written), compared, "{written}");
        }
    }

    proptest! {
        #[test]
        fn every_form_of_a_text_folds_to_the_same(text in "[a-zßéŁ가-힣ぁ-ヺα-ωа-яא-ת\u{e01}-\u{e4c}\u{900}-\u{94d} ﬁＡ①]{0,24}") {
            let once = folded(&text);
            prop_assert_eq!(&folded(&text.nfd().collect::<String>()), &once);
            prop_assert_eq!(&folded(&text.nfkd().collect::<String>()), &once);
            prop_assert_eq!(&folded(&text.nfkc().collect::<String>()), &once);
        }

        #[test]
        fn every_part_has_its_place_in_the_original(text in any::<String>()) {
            let folded = FoldedText::of(&text);
            for (at, c) in folded.text.char_indices() {
                let origin = folded.origin(at..at + c.len_utf8());
                prop_assert!(origin.start < origin.end && text.get(origin).is_some());
            }
        }
    }
}
