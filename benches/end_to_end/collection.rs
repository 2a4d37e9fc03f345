//! Articles of a given number of chunks.

/// A number of articles with a number of chunks each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection {
    pub(crate) articles: usize,
    pub(crate) chunks: usize,
}

impl Collection {
    pub(crate) fn texts(self) -> usize {
        self.articles * self.chunks
    }

    pub(crate) fn title(number: usize) -> String {
        format!("Note {number}")
    }

    /// Sections under headings, each long enough to be one chunk.
    pub(crate) fn body(self, number: usize) -> String {
        if self.chunks == 1 {
            return sentence(number, 0);
        }
        let section = |chunk| format!("# Part {chunk} of {number}\n\n{}\n", sentence(number, chunk).repeat(10));
        (0..self.chunks).map(section).collect::<Vec<_>>().join("\n")
    }

    /// About the inputs that are embedded, for the ideal loop.
    pub(crate) fn inputs(self) -> Vec<String> {
        let input = |number, chunk| {
            let times = if self.chunks == 1 { 1 } else { 10 };
            format!("{}\n\n{}", Self::title(number), sentence(number, chunk).repeat(times))
        };
        (0..self.articles).flat_map(|number| (0..self.chunks).map(move |chunk| input(number, chunk))).collect()
    }
}

fn sentence(number: usize, chunk: usize) -> String {
    format!("Bee {number} told hive {chunk} of a field of clover beyond the river, and the hive flew out to see. ")
}
