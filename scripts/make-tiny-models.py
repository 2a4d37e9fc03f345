#!/usr/bin/env python3
"""Makes tests/reference/tiny: a BERT of a few thousand random numbers, and what a plain forward pass answers for a few texts
by each pooling.

    pip install numpy
    scripts/make-tiny-models.py
"""
import json
import math
import pathlib
import struct

import numpy as np

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS, EPSILON = 16, 2, 4, 32, 24, 1e-12
WORDS = "[PAD] [UNK] [CLS] [SEP] the tide rise ##s and fall with moon water bread dough grow over night . ,".split()
TEXTS = ["the tide rises", "tides fall with the moon .", "bread", "dough grows over night , and water rises", "quark", "the " * 40]


def tokens(text):
    """WordPiece over words in lower case, as tokenizer.json says."""
    numbers = []
    for word in text.lower().split():
        start, pieces = 0, []
        while start < len(word):
            ends = (end for end in range(len(word), start, -1) if ("##" if start else "") + word[start:end] in WORDS)
            end = next(ends, None)
            if end is None:
                pieces = ["[UNK]"]
                break
            pieces.append(("##" if start else "") + word[start:end])
            start = end
        numbers += [WORDS.index(piece) for piece in pieces]
    return [WORDS.index("[CLS]")] + numbers[: POSITIONS - 2] + [WORDS.index("[SEP]")]


def normalised(x, weights, name):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPSILON) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def dense(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def forward(weights, numbers):
    x = weights["embeddings.word_embeddings.weight"][numbers]
    x = x + weights["embeddings.position_embeddings.weight"][: len(numbers)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = normalised(x, weights, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        q, k, v = (dense(x, weights, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        size, heads = HIDDEN // HEADS, []
        for head in range(HEADS):
            own = slice(head * size, (head + 1) * size)
            heads.append(softmax(q[:, own] @ k[:, own].T / math.sqrt(size)) @ v[:, own])
        attended = dense(np.concatenate(heads, -1), weights, f"{at}.attention.output.dense")
        x = normalised(x + attended, weights, f"{at}.attention.output.LayerNorm")
        wide = gelu(dense(x, weights, f"{at}.intermediate.dense"))
        x = normalised(x + dense(wide, weights, f"{at}.output.dense"), weights, f"{at}.output.LayerNorm")
    return x


def random_weights():
    source = np.random.default_rng(7)
    draw = lambda *shape: source.normal(0, 0.5, shape).astype(np.float32).astype(np.float64)
    weights = {
        "embeddings.word_embeddings.weight": draw(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": draw(POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": draw(2, HIDDEN),
    }
    norms, layers = ["embeddings.LayerNorm"], []
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        layers += [(f"{at}.attention.self.{part}", HIDDEN, HIDDEN) for part in ("query", "key", "value")]
        layers += [(f"{at}.attention.output.dense", HIDDEN, HIDDEN)]
        layers += [(f"{at}.intermediate.dense", HIDDEN, WIDE), (f"{at}.output.dense", WIDE, HIDDEN)]
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
    for name, inputs, outputs in layers:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = draw(outputs, inputs), draw(outputs)
    for name in norms:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = 1 + draw(HIDDEN) / 4, draw(HIDDEN) / 4
    return {name: tensor.astype(np.float32).astype(np.float64) for name, tensor in weights.items()}


def write_weights(path, weights):
    head, data = {}, b""
    for name, tensor in weights.items():
        raw = tensor.astype("<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    target = pathlib.Path(__file__).parent.parent / "tests" / "reference" / "tiny"
    target.mkdir(parents=True, exist_ok=True)
    weights = random_weights()
    write_weights(target / "model.safetensors", weights)
    config = {
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": WIDE, "max_position_embeddings": POSITIONS,
        "layer_norm_eps": EPSILON,
    }
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    special = {name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    part = lambda kind, name: {kind: {"id": name, "type_id": 0}}
    single = [part("SpecialToken", "[CLS]"), part("Sequence", "A"), part("SpecialToken", "[SEP]")]
    pair = single + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": WORDS.index(name), "content": name, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for name in WORDS[:4]
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {word: number for number, word in enumerate(WORDS)}},
    }
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, indent=1) + "\n")
    rows = []
    for text in TEXTS:
        states = forward(weights, tokens(text))
        unit = lambda v: [round(float(x), 7) for x in v / np.linalg.norm(v)]
        rows.append({"text": text, "mean": unit(states.mean(0)), "cls": unit(states[0])})
    (target / "vectors.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(f"{len(rows)} texts written to {target}")


if __name__ == "__main__":
    main()
