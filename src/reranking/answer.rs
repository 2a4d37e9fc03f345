//! Reading a successful answer, and checking it.

use serde_json::Value;

use super::refusal::RerankError;
use crate::remote::{beginning, page_title};

/// Bytes of an answer without its documents: names, usage, numbers.
const ENVELOPE_BYTES: usize = 64 << 10;
/// Bytes of a result without its document.
const MAX_RESULT_BYTES: usize = 512;
/// A document that is repeated is at most so many times as long, each of its bytes being written as `\u00xx`.
const ESCAPED: usize = 6;

/// The most bytes that an answer about `documents` can have: some servers repeat each of them.
pub(super) fn longest(documents: &[String]) -> usize {
    let repeated = documents.iter().map(|document| MAX_RESULT_BYTES + ESCAPED * document.len()).sum::<usize>();
    ENVELOPE_BYTES.saturating_add(repeated)
}

/// The scores in the order of the documents.
///
/// # Errors
/// What the server says instead, or what is wrong with its scores.
pub(super) fn scores(bytes: &[u8], documents: usize) -> Result<Vec<f64>, RerankError> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|error| no_json(bytes, &error))?;
    let Some(results) = answer.as_array().or_else(|| answer.get("results").and_then(Value::as_array)) else {
        return Err(RerankError::in_success(&answer));
    };
    if results.len() != documents {
        let answered = results.len();
        return Err(RerankError::wrong(format!("the reranker answered {answered} scores for {documents} documents")));
    }
    let mut scores = vec![None; documents];
    for result in results {
        let index = result.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        let place = index.and_then(|index| scores.get_mut(index));
        let Some(place @ None) = place else {
            let index = result.get("index").map_or_else(|| "none".to_owned(), Value::to_string);
            return Err(RerankError::wrong(format!("the reranker answered a wrong index: {}", shown(&index))));
        };
        *place = Some(score(result)?);
    }
    // There are as many results as places and no place is taken twice, so all are taken.
    Ok(scores.into_iter().flatten().collect())
}

fn score(result: &Value) -> Result<f64, RerankError> {
    let score = result.get("relevance_score").or_else(|| result.get("score"));
    let number = score.and_then(Value::as_f64).filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let score = score.map_or_else(|| "none".to_owned(), Value::to_string);
        RerankError::wrong(format!("the reranker answered a score that is no number: {}", shown(&score)))
    })
}

fn no_json(bytes: &[u8], error: &serde_json::Error) -> RerankError {
    RerankError::wrong(match page_title(&String::from_utf8_lossy(bytes)) {
        Some(page) => format!("the address answers with {page}; correct search.rerank.base_url"),
        None => format!("the reranker's answer is not JSON ({error}); {}", beginning(bytes)),
    })
}

fn shown(value: &str) -> String {
    value.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str, documents: usize) -> Result<Vec<f64>, String> {
        scores(answer.as_bytes(), documents).map_err(|refused| refused.message)
    }

    #[test]
    fn scores_come_in_the_order_of_the_documents_in_both_forms() {
        let cohere = r#"{"id":"x","results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":-2}]}"#;
        assert_eq!(read(cohere, 2), Ok(vec![-2.0, 0.9]));
        let tei = r#"[{"index":1,"score":0.9},{"index":0,"score":1e-9}]"#;
        assert_eq!(read(tei, 2), Ok(vec![1e-9, 0.9]));
        let jina =
            r#"{"results":[{"index":0,"document":{"text":"a"},"relevance_score":1}],"usage":{"total_tokens":3}}"#;
        assert_eq!(read(jina, 1), Ok(vec![1.0]));
    }

    #[test]
    fn no_lie_becomes_a_score() {
        for (answer, told) in [
            (r#"{"results":[{"index":0,"relevance_score":1}]}"#, "1 scores for 2"),
            (r#"[{"index":0,"score":1},{"index":1,"score":1},{"index":2,"score":1}]"#, "3 scores for 2"),
            (r#"[{"index":0,"score":1},{"index":0,"score":2}]"#, "wrong index: 0"),
            (r#"[{"index":0,"score":1},{"index":2,"score":2}]"#, "wrong index: 2"),
            (r#"[{"index":0,"score":1},{"index":-1,"score":2}]"#, "wrong index: -1"),
            (r#"[{"index":0,"score":1},{"score":2}]"#, "wrong index: none"),
            (r#"[{"index":0,"score":1},{"index":1}]"#, "no number: none"),
            (r#"[{"index":0,"score":1},{"index":1,"score":null}]"#, "no number: null"),
            (r#"[{"index":0,"score":1},{"index":1,"score":"NaN"}]"#, "no number: \"NaN\""),
            (r#"[{"index":0,"score":1},{"index":1,"score":NaN}]"#, "not JSON"),
            (r#"[{"index":0,"score":1},{"index":1,"score":1e999}]"#, "not JSON"),
            (r#"{"error":{"message":"out of memory"}}"#, "out of memory"),
            (r#"{"results":null}"#, "no scores"),
            ("7", "no scores"),
            ("<!doctype html><title>Sign in</title>", "\"Sign in\""),
            (
                "<html><body>It works!</body></html>",
                "a web page without a title; it begins with \"<html><body>It works!",
            ),
            ("It works!", "it begins with \"It works!\""),
            ("", "not JSON"),
        ] {
            let said = read(answer, 2).expect_err(answer);
            assert!(said.contains(told), "{answer}: {said}");
        }
    }
}
