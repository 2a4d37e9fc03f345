//! What a reader of the chunks may rely on.

use std::sync::Arc;

use afterword_actors::embedder::{Chunk, Chunker, ErrorKind, Source};
use proptest::prelude::*;

use super::{ApproximateTokens, ChunkLimits, MarkdownChunker, TokenCounter};
use crate::markdown::sample;

fn chunks_of(title: &str, body: &str, max_tokens: usize) -> Vec<Chunk> {
    let chunker = MarkdownChunker::new(Arc::new(ApproximateTokens), ChunkLimits::new(max_tokens)).expect("limits");
    chunker.chunk(Source { title, body }).expect("chunks")
}

#[test]
fn headings_make_paths_and_fenced_ones_do_not() {
    let body = "# Top\n\nOne.\n\n## Deep\n\n```sh\n# no heading\n```\n\nTwo.\n";
    let chunks = chunks_of("Title", body, 256);
    let paths: Vec<_> = chunks.iter().map(|chunk| chunk.heading_path.as_str()).collect();
    assert_eq!(paths, ["Top", "Top > Deep"]);
    assert!(chunks[1].text.contains("# no heading"));
    assert_eq!(chunks[1].input, "Title > Top > Deep\n\n```sh\n# no heading\n```\n\nTwo.");
}

#[test]
fn an_article_of_headings_or_of_a_title_alone_has_a_chunk_and_a_blank_one_has_none() {
    assert!(!chunks_of("Title", "# Only\n\n## Headings\n", 256).is_empty());
    assert_eq!(chunks_of("Title", "  \n", 256)[0].input, "Title");
    assert!(chunks_of("", " \n\0", 256).is_empty());
}

#[test]
fn one_line_without_spaces_is_cut_within_the_budget() {
    for body in ["数据库管理系统".repeat(2_000), "QUJDREVG".repeat(4_000)] {
        let chunks = chunks_of("Title", &body, 128);
        assert!(chunks.len() > 10);
        assert!(chunks.iter().all(|chunk| chunk.tokens <= 128));
    }
}

#[test]
fn nul_is_kept_from_the_model() {
    let chunks = chunks_of("Ti\0tle", "bo\0dy", 256);
    assert!(chunks.iter().all(|chunk| !chunk.input.contains('\0')));
}

#[test]
fn too_many_chunks_are_a_fault_of_the_article() {
    let limits = ChunkLimits { max_chunks: 3, ..ChunkLimits::new(64) };
    let chunker = MarkdownChunker::new(Arc::new(ApproximateTokens), limits).expect("limits");
    let body = "word ".repeat(1_000);
    let error = chunker.chunk(Source { title: "T", body: &body }).expect_err("too many");
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("embedding.max_chunks"), "{}", error.message);
}

#[test]
fn a_large_article_is_cut_whole() {
    // A megabyte in a debug build: if cutting took more than linear time, this test would not end.
    let sections = "## Section\n\nSome words stand here, and then some more of them.\n\n".repeat(16_000);
    let one_line = "x".repeat(1_000_000);
    let limits = ChunkLimits { max_chunks: 100_000, ..ChunkLimits::new(256) };
    let chunker = MarkdownChunker::new(Arc::new(ApproximateTokens), limits).expect("limits");
    for body in [sections, one_line] {
        let chunks = chunker.chunk(Source { title: "T", body: &body }).expect("chunks");
        assert!(chunks.iter().all(|chunk| chunk.tokens <= 256));
    }
}

/// Visible characters, without the marks of headings, which are in the paths.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

proptest! {
    #[test]
    fn chunks_are_pieces_of_the_body_in_order_and_within_the_budget(
        title in sample::anything(), body in sample::anything(), max_tokens in 26usize..300,
    ) {
        let chunks = chunks_of(&title, &body, max_tokens);
        let mut rest = body.as_str();
        for chunk in &chunks {
            prop_assert!(chunk.tokens as usize <= max_tokens);
            prop_assert_eq!(ApproximateTokens.count(&chunk.input) + ChunkLimits::SPECIAL_TOKENS, chunk.tokens as usize);
            let at = rest.find(&chunk.text);
            prop_assert!(at.is_some(), "{:?} is not in order", chunk.text);
            rest = &rest[at.unwrap_or(0) + chunk.text.len()..];
        }
        prop_assert_eq!(&chunks, &chunks_of(&title, &body, max_tokens), "the same every time");
    }

    #[test]
    fn no_word_of_a_body_is_lost(body in sample::markdown()) {
        let chunks = chunks_of("", &body, 200);
        let texts: String = chunks.iter().map(|chunk| letters(&chunk.text)).collect();
        let paths: String = chunks.iter().map(|chunk| letters(&chunk.heading_path)).collect();
        for word in body.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3) {
            let (in_text, in_path) = (texts.contains(&letters(word)), paths.contains(&letters(word)));
            prop_assert!(in_text || in_path, "{word:?} is in no chunk of {body:?}");
        }
    }

    #[test]
    fn a_change_in_one_section_leaves_the_chunks_of_the_others(
        before in sample::paragraph(), changed in sample::paragraph(), after in sample::paragraph(),
    ) {
        let body = |middle: &str| format!("# One\n\n{before}\n\n# Two\n\n{middle}\n\n# Three\n\n{after}\n");
        let inputs = |middle: &str| -> Vec<String> {
            let chunks = chunks_of("Title", &body(middle), 64);
            chunks.into_iter().filter(|chunk| chunk.heading_path != "Two").map(|chunk| chunk.input).collect()
        };
        prop_assert_eq!(inputs("old"), inputs(&changed));
    }
}
