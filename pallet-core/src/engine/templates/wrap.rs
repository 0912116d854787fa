//! Wraps text like Python's `textwrap`.

/// Options for wrapping.
pub(super) struct Wrap {
    pub(super) width: usize,
    /// Break words that are longer than a line.
    pub(super) long_words: bool,
    /// Break words after hyphens.
    pub(super) hyphens: bool,
}

impl Wrap {
    /// Wraps one line into several.
    pub(super) fn lines(&self, line: &str) -> Vec<String> {
        let mut chunks: Vec<Vec<char>> = self.chunks(line);
        chunks.reverse();
        let blank = |chunk: &Vec<char>| chunk.iter().all(|letter| letter.is_whitespace());
        let mut lines: Vec<String> = Vec::new();
        while let Some(next) = chunks.last() {
            if !lines.is_empty() && blank(next) {
                chunks.pop();
                continue;
            }
            let (mut current, mut length) = (Vec::new(), 0);
            while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.len() <= self.width) {
                length += chunk.len();
                current.push(chunk);
            }
            if let Some(chunk) = chunks.pop_if(|chunk| chunk.len() > self.width) {
                let (now, later) = self.broken(
                    chunk,
                    self.width.saturating_sub(length).max(usize::from(current.is_empty())),
                    current.is_empty(),
                );
                current.extend(now);
                chunks.extend(later);
            }
            if current.last().is_some_and(blank) {
                current.pop();
            }
            if !current.is_empty() {
                lines.push(current.concat().into_iter().collect());
            }
        }
        lines
    }

    /// Splits a long word: the part for this line, and the rest for the next ones.
    fn broken(
        &self,
        mut chunk: Vec<char>,
        left: usize,
        alone: bool,
    ) -> (Option<Vec<char>>, Option<Vec<char>>) {
        if !self.long_words {
            return if alone { (Some(chunk), None) } else { (None, Some(chunk)) };
        }
        let hyphen = chunk[..left]
            .iter()
            .rposition(|letter| *letter == '-')
            .filter(|at| chunk[..*at].iter().any(|letter| *letter != '-'));
        let end = hyphen.filter(|at| self.hyphens && *at > 0).map_or(left, |at| at + 1);
        let rest = chunk.split_off(end);
        ((!chunk.is_empty()).then_some(chunk), Some(rest))
    }

    /// Splits a line into words and the spaces between them.
    fn chunks(&self, line: &str) -> Vec<Vec<char>> {
        let letters: Vec<char> =
            line.chars().map(|letter| if letter == '\t' { ' ' } else { letter }).collect();
        let mut chunks: Vec<Vec<char>> = Vec::new();
        for (at, letter) in letters.iter().enumerate() {
            let word = |at: usize| {
                letters.get(at).is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
            };
            let begins = match at.checked_sub(1).map(|before| letters[before]) {
                None => true,
                Some(before) if before.is_whitespace() != letter.is_whitespace() => true,
                Some('-') => {
                    self.hyphens
                        && at >= 2
                        && word(at - 2)
                        && !letters[at - 2].is_numeric()
                        && word(at)
                        && !letter.is_numeric()
                }
                Some(_) => false,
            };
            match chunks.last_mut() {
                Some(last) if !begins => last.push(*letter),
                _ => chunks.push(vec![*letter]),
            }
        }
        chunks
    }
}
