//! The tiny model of the references, with room for more than a heading.

use std::path::Path;

/// Gives the tiny model in `folder` 64 positions, so that it takes more than a heading.
pub(crate) fn lengthen(folder: &Path) {
    const NAME: &str = "embeddings.position_embeddings.weight";
    let (path, more) = (folder.join("model.safetensors"), 40 * 16 * 4);
    let file = std::fs::read(&path).expect("weights");
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
    let (header, data) = rest.split_at(length);
    let mut header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).expect("JSON");
    let end = header[NAME]["data_offsets"][1].as_u64().expect("a number");
    for (name, tensor) in &mut header {
        if let Some(offsets) = tensor["data_offsets"].as_array_mut() {
            for (side, offset) in offsets.iter_mut().enumerate() {
                let at = offset.as_u64().expect("a number");
                let moves = at > end || (at == end && (name == NAME) == (side == 1));
                *offset = (at + if moves { more } else { 0 }).into();
            }
        }
    }
    header[NAME]["shape"][0] = 64.into();
    let header = serde_json::to_vec(&header).expect("JSON");
    let (before, after) = data.split_at(end as usize);
    let added = vec![0; more as usize];
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(&path, [&length[..], &header, before, &added, after].concat()).expect("a file");
    let config = std::fs::read_to_string(folder.join("config.json")).expect("a file");
    let config = config.replace("\"max_position_embeddings\": 24", "\"max_position_embeddings\": 64");
    std::fs::write(folder.join("config.json"), config).expect("a file");
}
