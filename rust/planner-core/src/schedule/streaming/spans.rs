//! Spans of time in which something goes on, apart from each other.

use std::collections::BTreeMap;

/// Spans from their begin to before their end, in whatever unit their owner counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(BTreeMap<u64, u64>);

impl Spans {
    /// The first time from `from` on at which nothing goes on for so long.
    pub fn fit(&self, from: u64, lasts: u64) -> u64 {
        let mut begin = from;
        while let Some((_, end)) = self.0.range(..begin + lasts.max(1)).next_back()
            && *end > begin
        {
            begin = self.after(begin);
        }
        begin
    }

    /// The end of the first span that ends after this time.
    fn after(&self, at: u64) -> u64 {
        let before = self.0.range(..=at).next_back().map(|(_, end)| *end);
        let on = before.filter(|end| *end > at);
        on.unwrap_or_else(|| *self.0.range(at..).next().expect("one is in the way").1)
    }

    /// Something more goes on, where nothing did.
    pub fn add(&mut self, begin: u64, end: u64) {
        if begin == end {
            return;
        }
        let (mut from, mut to) = (begin, end);
        if let Some((&before, &ends)) = self.0.range(..begin).next_back()
            && ends == begin
        {
            from = before;
        }
        if let Some(after) = self.0.remove(&end) {
            to = after;
        }
        self.0.insert(from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::Spans;

    #[test]
    fn what_fits_between_two_goes_there() {
        let mut spans = Spans::default();
        spans.add(10, 20);
        spans.add(25, 30);
        let at = |from, lasts| spans.fit(from, lasts);
        assert_eq!(
            [at(0, 10), at(0, 11), at(12, 5), at(12, 6)],
            [0, 30, 20, 30]
        );
        assert_eq!([at(10, 0), at(20, 0), at(9, 0)], [20, 20, 9]);
    }

    #[test]
    fn spans_that_touch_are_one() {
        let mut spans = Spans::default();
        for (begin, end) in [(10, 20), (25, 30), (20, 25)] {
            spans.add(begin, end);
        }
        assert_eq!(spans.0, [(10, 30)].into());
    }
}
