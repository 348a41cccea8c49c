//! The schedules of one search, counted, and the best of them.

use super::bound::Bound;
use super::generate::{Generator, Starts};
use super::network::{Direction, Network};

/// Makes schedules for as long as a search may go on.
#[derive(Clone, Debug)]
pub(super) struct Run<'a> {
    pub generator: Generator<'a>,
    pub bound: Bound,
    /// How many schedules may be made, at least one.
    schedules: u64,
    best: Option<(Direction, Starts)>,
}

impl<'a> Run<'a> {
    pub fn new(network: &'a Network, bound: Bound, schedules: u64) -> Self {
        Self {
            generator: Generator::new(network),
            bound,
            schedules: schedules.max(1),
            best: None,
        }
    }

    /// The schedule of the order in which activities are; None when the search is over, because
    /// as many are made as may be or because none can be better.
    pub fn build(&mut self, direction: Direction) -> Option<Starts> {
        self.check()?;
        let starts = self.generator.build(direction);
        self.keep(direction, &starts);
        Some(starts)
    }

    /// A schedule pushed to the other end ([`Generator::turn`]).
    pub fn turn(&mut self, from: Direction, starts: &Starts) -> Option<Starts> {
        self.check()?;
        let turned = self.generator.turn(from, starts);
        self.keep(from.other(), &turned);
        Some(turned)
    }

    /// The best schedule, which was begun at this end.
    pub fn best(self) -> Option<(Direction, Starts)> {
        self.best
    }

    fn check(&self) -> Option<()> {
        let is_proven = |best: &(_, Starts)| best.1.makespan <= self.bound.makespan();
        let over = self.best.as_ref().is_some_and(is_proven);
        (!over && self.generator.made < self.schedules).then_some(())
    }

    fn keep(&mut self, direction: Direction, starts: &Starts) {
        let is_worse = |best: &(_, Starts)| starts.makespan < best.1.makespan;
        if self.best.as_ref().is_none_or(is_worse) {
            self.best = Some((direction, starts.clone()));
        }
    }
}
