//! Two populations that breed each other.
//!
//! After Debels and Vanhoucke (Operations Research 55, 2007): the children of schedules begun at
//! one end of time are begun at the other, so every pass that makes a child also justifies what
//! it has of its parents. Here children come one by one, compete with the worse of their parents'
//! counterparts, and no order is tried twice.

use fastrand::Rng;
use rustc_hash::FxHashSet;

use super::cross::Crossover;
use super::generate::Starts;
use super::network::{Direction, Network};
use super::run::Run;
use super::sample::sampled;

/// Attempts to make a child that is new, each with more exchanges than the one before.
const ATTEMPTS: usize = 30;
/// Children in a row that may be old before there is nothing new to be found.
const OLD_CHILDREN: usize = 1_000;

/// A member of both populations: one schedule begun at each end, the second by turning the first.
type Couple = [Starts; 2];

/// Both populations.
#[derive(Debug)]
pub(super) struct Breed<'a> {
    network: &'a Network,
    crossover: Crossover<'a>,
    couples: Vec<Couple>,
    /// Digests of all orders of which schedules were made.
    tried: FxHashSet<u64>,
    old: usize,
    keys: Vec<u32>,
}

impl<'a> Breed<'a> {
    /// As many couples as `size`, or fewer where not so many are different, from samples.
    pub fn begin(
        network: &'a Network,
        run: &mut Run<'_>,
        size: usize,
        rng: &mut Rng,
    ) -> Option<Self> {
        let mut breed = Self {
            network,
            crossover: Crossover::new(network),
            couples: Vec::with_capacity(size),
            tried: FxHashSet::default(),
            old: 0,
            keys: Vec::new(),
        };
        let tails = [Direction::Forward, Direction::Backward].map(|d| network.tails(d));
        let mut direction = Direction::Forward;
        for _ in 0..4 * size {
            if breed.couples.len() == size {
                break;
            }
            let mut keys = sampled(network, direction, &tails[direction as usize], rng);
            run.generator.arrange(direction, &mut keys);
            let first = run.build(direction)?;
            let other = run.turn(direction, &first)?;
            let back = run.turn(direction.other(), &other)?;
            let couple = match direction {
                Direction::Forward => [back, other],
                Direction::Backward => [other, back],
            };
            if breed.couples.is_empty() || !breed.has_one_of(&couple) {
                breed.couples.push(couple);
            }
            direction = direction.other();
        }
        Some(breed)
    }

    fn has_one_of(&self, couple: &Couple) -> bool {
        self.couples
            .iter()
            .any(|known| known[0] == couple[0] || known[1] == couple[1])
    }

    /// Makes children until so many schedules are made; None when the search is over.
    pub fn breed(&mut self, run: &mut Run<'_>, until: u64, rng: &mut Rng) -> Option<()> {
        let mut from = Direction::Forward;
        while run.generator.made < until {
            self.child(run, from, rng)?;
            from = from.other();
        }
        Some(())
    }

    fn child(&mut self, run: &mut Run<'_>, from: Direction, rng: &mut Rng) -> Option<()> {
        let to = from.other();
        let (father, mother) = (self.parent(from, rng), self.parent(from, rng));
        let of = |parent: usize| &self.couples[parent][from as usize];
        self.crossover
            .keys(of(father), of(mother), rng, &mut self.keys);
        let worse = if of(father).makespan > of(mother).makespan {
            father
        } else {
            mother
        };
        self.renew(run, to, rng)?;
        let child = run.build(to)?;
        let place = to as usize;
        if child.makespan <= self.couples[worse][place].makespan
            && self.couples.iter().all(|couple| couple[place] != child)
        {
            self.couples[worse][place] = child;
        }
        Some(())
    }

    /// The better of two.
    fn parent(&self, side: Direction, rng: &mut Rng) -> usize {
        let (one, two) = (
            rng.usize(0..self.couples.len()),
            rng.usize(0..self.couples.len()),
        );
        let makespan = |couple: usize| self.couples[couple][side as usize].makespan;
        if makespan(two) < makespan(one) {
            two
        } else {
            one
        }
    }

    /// Puts the activities in the order of the keys, with some keys exchanged when that order was
    /// tried already; None when nothing new seems to be left.
    fn renew(&mut self, run: &mut Run<'_>, to: Direction, rng: &mut Rng) -> Option<()> {
        for attempt in 0..ATTEMPTS {
            run.generator.arrange(to, &mut self.keys);
            if self.tried.insert(run.generator.digest(to)) {
                self.old = 0;
                return Some(());
            }
            for _ in 0..=attempt / 4 {
                let n = self.network.activities();
                self.keys.swap(rng.usize(0..n), rng.usize(0..n));
            }
        }
        self.old += 1;
        (self.old < OLD_CHILDREN).then_some(())
    }
}
