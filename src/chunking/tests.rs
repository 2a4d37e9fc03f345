//! What a reader of the chunks may rely on.
