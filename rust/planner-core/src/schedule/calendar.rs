//! When a group may be in motion.

use std::ops::Range;

use super::problem::{CalendarIdx, Problem};

/// Milliseconds from the start of the schedule: ascending, apart from each other, each with its
/// begin and without its end.
pub type Open = Vec<Range<u64>>;

/// A rule about time: the waves of its groups lie inside what is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// What people call it, for example `window:nights`; unique.
    pub name: Box<str>,
    /// When it is open.
    pub open: Open,
}

/// Whether something that begins and ends then lies inside what is open.
#[must_use]
pub fn holds(open: &[Range<u64>], begin_ms: u64, end_ms: u64) -> bool {
    closes(open, begin_ms).is_some_and(|closes_ms| end_ms <= closes_ms)
}

/// When it closes that is open at this time; `None` when it is closed.
pub(crate) fn closes(open: &[Range<u64>], at_ms: u64) -> Option<u64> {
    let after = open.partition_point(|span| span.start <= at_ms);
    let span = &open[after.checked_sub(1)?];
    (at_ms < span.end).then_some(span.end)
}

/// The first time from `from_ms` on at which something of this length can begin and end inside.
pub(crate) fn first_fit(open: &[Range<u64>], from_ms: u64, length_ms: u64) -> Option<u64> {
    let after = open.partition_point(|span| span.end <= from_ms);
    let fits = |span: &Range<u64>| {
        let begin_ms = span.start.max(from_ms);
        (begin_ms + length_ms <= span.end).then_some(begin_ms)
    };
    open[after..].iter().find_map(fits)
}

/// The first time after `from_ms` at which it opens.
pub(crate) fn opens_after(open: &[Range<u64>], from_ms: u64) -> Option<u64> {
    let after = open.partition_point(|span| span.start <= from_ms);
    open.get(after).map(|span| span.start)
}

/// When the last of `count` spells ends at the earliest, each of `length_ms` and inside what is open,
/// none before `from_ms`. `None`: what is open does not hold so many.
pub(crate) fn ends(
    open: &[Range<u64>],
    from_ms: u64,
    mut count: u64,
    length_ms: u64,
) -> Option<u64> {
    if count == 0 || length_ms == 0 {
        return first_fit(open, from_ms, 0);
    }
    let after = open.partition_point(|span| span.end <= from_ms);
    for span in &open[after..] {
        let begin_ms = span.start.max(from_ms);
        let here = (span.end - begin_ms) / length_ms;
        if count <= here {
            return Some(begin_ms + count * length_ms);
        }
        count -= here;
    }
    None
}

/// What is open in every one of these calendars.
pub(crate) fn shared(problem: &Problem, calendars: &[CalendarIdx]) -> Open {
    let mut each = calendars
        .iter()
        .map(|&calendar| &problem.calendars[calendar as usize].open);
    let first = each.next().cloned().unwrap_or_default();
    each.fold(first, |open, other| intersection(&open, other))
}

/// What is open in both.
pub(crate) fn intersection(one: &[Range<u64>], other: &[Range<u64>]) -> Open {
    let (mut both, mut at) = (Vec::new(), 0);
    for span in one {
        while at < other.len() && other[at].end <= span.start {
            at += 1;
        }
        let within = other[at..].iter().take_while(|it| it.start < span.end);
        both.extend(within.map(|it| it.start.max(span.start)..it.end.min(span.end)));
    }
    both
}

#[cfg(test)]
mod tests {
    use super::{closes, ends, first_fit, holds, intersection, opens_after};

    #[test]
    fn time_is_open_from_its_begin_to_before_its_end() {
        let open = [10..20, 30..35];
        assert_eq!(closes(&open, 9), None);
        assert_eq!(closes(&open, 10), Some(20));
        assert_eq!(closes(&open, 20), None);
        assert!(holds(&open, 10, 20) && !holds(&open, 10, 21) && !holds(&open, 19, 31));
        assert_eq!(opens_after(&open, 10), Some(30));
        assert_eq!(opens_after(&open, 30), None);
    }

    #[test]
    fn what_is_too_long_for_the_rest_begins_in_the_next() {
        let open = [10..20, 30..35, 50..90];
        assert_eq!(first_fit(&open, 0, 5), Some(10));
        assert_eq!(first_fit(&open, 16, 5), Some(30));
        assert_eq!(first_fit(&open, 16, 6), Some(50));
        assert_eq!(first_fit(&open, 60, 40), None);
        assert_eq!(ends(&open, 12, 3, 4), Some(34));
        assert_eq!(ends(&open, 12, 2, 20), Some(90));
        assert_eq!(ends(&open, 12, 3, 20), None);
    }

    #[test]
    fn both_are_open_where_each_is() {
        let both = intersection(&[0..10, 20..40], &[5..25, 30..32, 39..60]);
        assert_eq!(both, [5..10, 20..25, 30..32, 39..40]);
    }
}
