//! What servers of models say when they refuse, one line for each wording: the protocol has no codes for it.
//!
//! A wording is listed if its status alone would be misread, or does not tell what to do. Sources: the servers'
//! public code and documentation, and error messages that their users published.

/// What a refusal means, whatever its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Too many texts or tokens in one request, or one text that is too long: a smaller request may work.
    TooLarge,
    /// The key is missing, wrong or not allowed here.
    Key,
    /// The model is not known, or not there.
    Model,
    /// The account is out of credit.
    Quota,
    /// The model is being loaded.
    Loading,
    /// The address is not that of the endpoint.
    Endpoint,
}

/// Part of a message, in lower case, and what it means.
struct Wording {
    words: &'static str,
    meaning: Meaning,
}

const fn wording(words: &'static str, meaning: Meaning) -> Wording {
    Wording { words, meaning }
}

/// The first match counts: wordings that need a person come before those about size.
const WORDINGS: &[Wording] = &[
    wording("api key not valid", Meaning::Key),           // Gemini, with 400
    wording("api key expired", Meaning::Key),             // Gemini, with 400
    wording("incorrect api key", Meaning::Key),           // OpenAI
    wording("invalid api key", Meaning::Key),             // Mistral, Jina
    wording("invalid api token", Meaning::Key),           // Cohere
    wording("provided api key is invalid", Meaning::Key), // Voyage
    wording("access denied due to invalid subscription key", Meaning::Key), // Azure
    wording("insufficient_quota", Meaning::Quota),        // OpenAI
    wording("exceeded your current quota", Meaning::Quota), // OpenAI
    wording("insufficient balance", Meaning::Quota),      // Jina, DashScope
    wording("arrearage", Meaning::Quota),                 // DashScope
    wording("loading model", Meaning::Loading),           // llama.cpp
    wording("model is loading", Meaning::Loading),        // Infinity, Hugging Face
    wording("is currently loading", Meaning::Loading),    // Hugging Face
    wording("unexpected endpoint or method", Meaning::Endpoint), // LM Studio, with 200
    wording("no models loaded", Meaning::Model),          // LM Studio
    wording("try pulling it first", Meaning::Model),      // Ollama
    wording("model_not_found", Meaning::Model),           // OpenAI
    wording("deploymentnotfound", Meaning::Model),        // Azure
    wording("invalid model", Meaning::Model),             // Mistral
    wording("does not support embed", Meaning::Model),    // Ollama, vLLM
    wording("batch size", Meaning::TooLarge),             // TEI, DashScope, Voyage, llama.cpp
    wording("batch_size", Meaning::TooLarge),             // Infinity
    wording("can be in one batch", Meaning::TooLarge),    // Gemini
    wording("too many inputs", Meaning::TooLarge),        // Azure, OpenAI
    wording("max number of inputs", Meaning::TooLarge),   // Azure
    wording("maximum number of inputs", Meaning::TooLarge), // OpenAI
    wording("number of texts must be at most", Meaning::TooLarge), // Cohere
    wording("too many texts", Meaning::TooLarge),         // Voyage
    wording("array too long", Meaning::TooLarge),         // OpenAI
    wording("list should have at most", Meaning::TooLarge), // Infinity
    wording("too many tokens", Meaning::TooLarge),        // Mistral, Cohere
    wording("split into more batches", Meaning::TooLarge), // Mistral
    wording("exceeding max", Meaning::TooLarge),          // Mistral: "Input id 0 has 18240 tokens, exceeding max"
    wording("tokens per request", Meaning::TooLarge), // OpenAI: "Requested 400000 tokens, max 300000 tokens per request"
    wording("tokens per submitted batch", Meaning::TooLarge), // Voyage
    wording("max allowed batch", Meaning::TooLarge),  // vLLM
    wording("maximum context length", Meaning::TooLarge), // OpenAI, vLLM
    wording("context length", Meaning::TooLarge),     // Ollama
    wording("context size", Meaning::TooLarge),       // llama.cpp
    wording("input length", Meaning::TooLarge),       // DashScope, NIM
    wording("must have less than", Meaning::TooLarge), // TEI: "`inputs` must have less than 512 tokens"
    wording("input token count", Meaning::TooLarge),  // Vertex
    wording("payload size exceeds", Meaning::TooLarge), // Gemini
    wording("text cannot exceed", Meaning::TooLarge), // Jina
    wording("maximum model length", Meaning::TooLarge), // vLLM
    wording("exceeds maximum", Meaning::TooLarge),    // NIM, Cohere
    wording("maxlength", Meaning::TooLarge),          // Bedrock
    wording("the size of tensor a", Meaning::TooLarge), // Transformers
    wording("number of tokens exceeds", Meaning::TooLarge), // Transformers
    wording("context window", Meaning::TooLarge),     // several
    wording("list can contain at most", Meaning::TooLarge), // Upstage, Clarifai
    wording("must be reduced", Meaning::TooLarge),    // OpenAI, with 429
    wording("too large", Meaning::TooLarge),          // llama.cpp, proxies
    wording("too long", Meaning::TooLarge),           // several
];

/// Those about size that no failure of a server or of a gateway has, as "the upstream took too long" has: they are
/// about the request also where the status says that the server failed.
const UNMISTAKABLE: &[&str] = &[
    "too large to process",     // llama.cpp, with 500
    "context length",           // Ollama, with 500
    "context size",             // llama.cpp, with 500
    "context window",           // LocalAI, with 500
    "input length",             // Ollama, with 500
    "maximum model length",     // vLLM
    "the size of tensor a",     // Transformers, with 500
    "number of tokens exceeds", // Transformers, with 500
    "maxlength",                // Bedrock
    "array too long",
    "too many inputs",
    "number of inputs",
    "input token count",
    "tokens per request",
];

/// Whether `said` speaks of the size of the request, and of nothing else.
pub(crate) fn is_about_size(said: &str) -> bool {
    let said = said.to_lowercase();
    UNMISTAKABLE.iter().any(|words| said.contains(words))
}

/// Whether a refusal that speaks of a quota says when it ends: then the account is not out of credit.
pub(crate) fn ends_by_itself(said: &str) -> bool {
    let said = said.to_lowercase();
    ["retry in", "try again in", "per minute", "per day", "per_minute", "per_day"]
        .iter()
        .any(|words| said.contains(words))
}

/// What `said` means, if it is known.
pub(crate) fn meaning_of(said: &str) -> Option<Meaning> {
    let said = said.to_lowercase();
    let known = WORDINGS.iter().find(|wording| said.contains(wording.words)).map(|wording| wording.meaning);
    known.or_else(|| says_unknown_model(&said).then_some(Meaning::Model))
}

/// Whether a request that is refused for the tokens of a minute has more of them than any minute has.
pub(crate) fn never_fits(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("request too large") || said.contains("must be reduced")
}

/// "The model `x` does not exist", "model "x" not found": the name is between the words.
fn says_unknown_model(said: &str) -> bool {
    said.contains("model") && (said.contains("not found") || said.contains("does not exist"))
}

/// Where a refusal says one of these, its numbers are lengths of texts.
const LENGTHS: &[&str] = &["token", "tensor", "maxlength", "model length", "context"];

/// The limit that a refusal of `texts` texts names: the largest number in it that would be a smaller request. None
/// where it speaks of the length of texts.
pub(crate) fn stated_limit(said: &str, texts: usize) -> Option<usize> {
    let said = said.to_lowercase();
    if LENGTHS.iter().any(|word| said.contains(word)) {
        return None;
    }
    numbers(&said).filter(|number| (1..texts).contains(number)).max()
}

/// The whole numbers in a text of small letters, but for those that are a part of a name (`voyage-3`), of another
/// number (`1.5`), or that tell which of the texts is meant (`id 5`).
fn numbers(said: &str) -> impl Iterator<Item = usize> {
    let words = said.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '/' | '.' | ','));
    let words = words.map(|word| word.trim_matches(['.', ','])).filter(|word| !word.is_empty());
    let mut before = "";
    words.filter_map(move |word| {
        let names_a_text = matches!(std::mem::replace(&mut before, word), "id" | "index" | "input" | "item");
        word.parse().ok().filter(|_| !names_a_text)
    })
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning_of, stated_limit};

    /// Messages that users of the servers have published.
    const PUBLISHED: &[(&str, &str, Meaning)] = &[
        ("OpenAI", "Incorrect API key provided: sk-a. You can find your API key at …", Meaning::Key),
        ("OpenAI", "You exceeded your current quota, please check your plan [insufficient_quota]", Meaning::Quota),
        ("OpenAI", "The model `text-embedding-9` does not exist [model_not_found]", Meaning::Model),
        (
            "OpenAI",
            "This model's maximum context length is 8192 tokens, however you requested 10001 tokens",
            Meaning::TooLarge,
        ),
        ("OpenAI", "Invalid 'input': array too long. Expected an array with maximum length 2048", Meaning::TooLarge),
        ("OpenAI", "Requested 400000 tokens, max 300000 tokens per request", Meaning::TooLarge),
        ("Azure", "Too many inputs. The max number of inputs is 16.", Meaning::TooLarge),
        ("Azure", "The API deployment for this resource does not exist. [DeploymentNotFound]", Meaning::Model),
        ("Mistral", "Too many tokens overall, split into more batches.", Meaning::TooLarge),
        ("Mistral", "Input id 0 has 18240 tokens, exceeding max 16384 tokens.", Meaning::TooLarge),
        ("Mistral", "Invalid model: mistral-embd", Meaning::Model),
        ("Gemini", "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch", Meaning::TooLarge),
        ("Gemini", "API key not valid. Please pass a valid API key.", Meaning::Key),
        ("Vertex", "The input token count is 21000 but the model supports up to 20000.", Meaning::TooLarge),
        ("Cohere", "invalid request: total number of texts must be at most 96 - received 100", Meaning::TooLarge),
        ("Cohere", "invalid api token", Meaning::Key),
        ("Voyage", "The max allowed tokens per submitted batch is 120000. Your batch has 150000", Meaning::TooLarge),
        ("Voyage", "The batch size limit is 1000. Your batch size is 1001.", Meaning::TooLarge),
        (
            "DashScope",
            "Value error, batch size is invalid, it should not be larger than 10.: input.contents",
            Meaning::TooLarge,
        ),
        ("DashScope", "Range of input length should be [1, 8192]", Meaning::TooLarge),
        ("TEI", "batch size 33 > maximum allowed batch size 32", Meaning::TooLarge),
        ("TEI", "Input validation error: `inputs` must have less than 512 tokens. Given: 1234", Meaning::TooLarge),
        ("vLLM", "This model's maximum context length is 512 tokens. However, you requested 700", Meaning::TooLarge),
        ("llama.cpp", "input is too large to process. increase the physical batch size", Meaning::TooLarge),
        ("llama.cpp", "the request exceeds the available context size", Meaning::TooLarge),
        ("llama.cpp", "Loading model", Meaning::Loading),
        ("LM Studio", "Unexpected endpoint or method. (POST /embeddings)", Meaning::Endpoint),
        ("LM Studio", "No models loaded. Please load a model in the developer page", Meaning::Model),
        ("Ollama", "the input length exceeds the context length", Meaning::TooLarge),
        ("Ollama", "model \"nomic\" not found, try pulling it first", Meaning::Model),
        ("Infinity", "List should have at most 2048 items after validation, not 3000", Meaning::TooLarge),
        ("Infinity", "model is loading", Meaning::Loading),
        ("Hugging Face", "Model BAAI/bge-small-en-v1.5 is currently loading", Meaning::Loading),
        ("Hugging Face", "Model is loading, please retry in 20 seconds", Meaning::Loading),
        ("NIM", "Input length 700 exceeds maximum allowed token size 512", Meaning::TooLarge),
        ("NIM", "Text of 700 tokens exceeds maximum allowed token size 512", Meaning::TooLarge),
        ("Cohere", "the text exceeds maximum length of 8192 tokens", Meaning::TooLarge),
        ("Jina", "Single text cannot exceed 8194 tokens. 8746 tokens given.", Meaning::TooLarge),
        ("vLLM", "The prompt is longer than the maximum model length of 512.", Meaning::TooLarge),
        ("Bedrock", "expected maxLength: 2048, actual: 5000, please reformat your input", Meaning::TooLarge),
        ("Transformers", "The size of tensor a (700) must match the size of tensor b (512)", Meaning::TooLarge),
        ("Transformers", "number of tokens exceeds the limit of 512", Meaning::TooLarge),
        ("LocalAI", "the input is longer than the context window", Meaning::TooLarge),
        ("Upstage", "Each input list can contain at most 512 items", Meaning::TooLarge),
        ("OpenAI", "Limit 3000, Requested 7000. The input or output tokens must be reduced", Meaning::TooLarge),
    ];

    #[test]
    fn what_servers_say_is_understood() {
        for (server, said, meaning) in PUBLISHED {
            assert_eq!(meaning_of(said), Some(*meaning), "{server}: {said}");
        }
    }

    #[test]
    fn what_is_about_a_text_or_about_nothing_known_has_no_meaning_here() {
        for said in ["The response was filtered by the content management policy", "CUDA error", "", "no reason given"]
        {
            assert_eq!(meaning_of(said), None, "{said}");
        }
    }

    #[test]
    fn a_limit_is_read_where_one_is_stated() {
        assert_eq!(stated_limit("batch size 33 > maximum allowed batch size 32", 33), Some(32));
        assert_eq!(stated_limit("<400> … it should not be larger than 10.", 32), Some(10));
        assert_eq!(stated_limit("at most 96 - received 100", 100), Some(96));
        assert_eq!(stated_limit("Too many tokens overall, split into more batches.", 32), None);
        assert_eq!(stated_limit("0 of 1", 2), Some(1));
        assert_eq!(stated_limit("Each input list can contain at most 512 items", 600), Some(512));
        assert_eq!(stated_limit("The max number of inputs is 16.", 32), Some(16));
        assert_eq!(stated_limit("array with maximum length 2048", 3_000), Some(2_048));
        assert_eq!(stated_limit("List should have at most 2048 items, not 3000", 3_000), Some(2_048));
    }

    #[test]
    fn what_is_no_number_of_texts_is_no_limit() {
        for said in [
            "Request to model 'voyage-3' failed. The max allowed tokens per submitted batch is 120000. Your batch has \
             150000 tokens",
            "Request to model 'voyage-3' failed. The batch is too large.",
            "Input id 5 has 18240 tokens, exceeding max 16384 tokens.",
            "The text with index 5 is too long",
            "inputs[index: 5] is too long",
            "text-embedding-3-small: the request is too large",
            "gpt4o_5: payload size exceeds v1.5 of the limit",
            "bge-large-en-v1.5 takes no batch that is too large",
            "at most 1,000 texts",
            "The size of tensor a (700) must match the size of tensor b (512) at non-singleton dimension 1",
            "expected maxLength: 1024, actual: 1500",
            "The prompt is longer than the maximum model length of 512.",
            "This model's maximum context length is 8 tokens",
        ] {
            assert_eq!(stated_limit(said, 2_000), None, "{said}");
        }
    }
}
