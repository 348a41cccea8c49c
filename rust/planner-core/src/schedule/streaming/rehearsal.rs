//! A schedule without barriers, carried out again by moves that take longer or shorter than planned.

use super::{Pass, RunOf, Scene};
use crate::schedule::calendar::closes;
use crate::schedule::chains::Chains;
use crate::schedule::flat::Flat;
use crate::schedule::laid::Laid;
use crate::schedule::pace::Pace;
use crate::schedule::problem::Problem;
use crate::schedule::rows::Rows;
use crate::schedule::solution::Chunk;
use crate::schedule::waves::{Step, Waves};

/// All waves up to one after which everything waits until they are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Its last wave, from 1.
    pub last_wave: u32,
    /// From the end of the leg before to its begin at the earliest, milliseconds.
    pub rest_ms: u64,
}

/// A move that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When it began, in milliseconds from the start of the first wave.
    pub start_ms: u64,
    /// When it was over.
    pub end_ms: u64,
    /// Whether a calendar of its group closes in between.
    pub past_calendar: bool,
}

/// Moves in the order in which those of a schedule without barriers were let go.
#[derive(Debug)]
pub struct Rehearsal {
    flat: Flat,
    legs: Vec<Leg>,
    steps: Vec<Step>,
    queue: Vec<RunOf>,
    /// Of each step the resources of its cohort that may run out in its leg.
    short: Rows<u32>,
}

impl Rehearsal {
    /// Of the chunks of a schedule of the problem, by wave, group and cohort, and its bound.
    ///
    /// With one leg moves that take as long as planned are made when [`super::Streaming`] has them.
    /// With several they go in the order of the waves. `None`: the chunks break a rule of the problem.
    #[must_use]
    pub fn of(
        problem: &Problem,
        laid: Laid,
        chunks: &[Chunk],
        legs: Vec<Leg>,
        bound_ms: u64,
    ) -> Option<Self> {
        let mut moves = vec![0; laid.flat.cohorts()];
        let mut steps = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let begin = laid.flat.cohorts_of(chunk.group as usize).start as u32;
            let cohort = begin + chunk.cohort;
            moves[cohort as usize] += chunk.count;
            steps.push(Step {
                cohort,
                group: chunk.group,
                wave: chunk.wave,
                count: chunk.count,
            });
        }
        let flat = laid.flat.only(&moves);
        let waves = Waves::of(steps);
        let queue = queue(problem, &flat, &waves, &legs, bound_ms)?;
        let short = short(&flat, &waves.steps, &legs);
        Some(Self {
            short,
            legs,
            steps: waves.steps,
            queue,
            flat,
        })
    }

    /// Makes every move, one by one. `lasts_ms` says how long the next move of a cohort (its number
    /// over all groups) takes, and `tell` is told of what came of a move of each chunk: `None` when
    /// calendars leave it no time, and neither others of its group.
    pub fn carry_out(
        &self,
        mut lasts_ms: impl FnMut(usize) -> u64,
        mut tell: impl FnMut(usize, Option<Gone>),
    ) {
        let mut pass = Pass::new(&self.flat);
        let mut stuck = vec![false; self.flat.groups()];
        let mut legs = self.legs.iter();
        let mut leg = legs.next();
        // When the leg may begin: never, after one that does not end.
        let (mut from_ms, mut over_ms) = (Some(0), 0);
        for (at, run) in &self.queue {
            let (chunk, step) = (*at as usize, self.steps[*at as usize]);
            let takes = self.short.row(chunk);
            while let Some(of) = leg
                && of.last_wave < step.wave
            {
                leg = legs.next();
                let rest_ms = leg.map_or(0, |it| it.rest_ms);
                from_ms = from_ms.filter(|_| !stuck.contains(&true));
                from_ms = from_ms.map(|_| over_ms + rest_ms);
            }
            let group = step.group as usize;
            for _ in 0..run.count {
                let lasts_ms = lasts_ms(step.cohort as usize);
                let from_ms = from_ms.filter(|_| !stuck[group]);
                let begun = from_ms
                    .and_then(|from_ms| pass.begin_taking(takes, step, 1, (lasts_ms, from_ms)));
                stuck[group] |= begun.is_none();
                let gone = begun.map(|run| self.gone(group, run.start_ms, lasts_ms));
                over_ms = gone.map_or(over_ms, |it| it.end_ms.max(over_ms));
                tell(chunk, gone);
            }
        }
    }

    fn gone(&self, group: usize, start_ms: u64, lasts_ms: u64) -> Gone {
        let end_ms = start_ms + lasts_ms;
        let open = self.flat.open(group);
        let closes_ms = open.and_then(|open| closes(open, start_ms));
        Gone {
            start_ms,
            end_ms,
            past_calendar: closes_ms.is_some_and(|it| end_ms > it),
        }
    }
}

/// Of each step the resources of its cohort that its leg may run out of, in whichever order its moves
/// begin and however long they take.
///
/// When a leg begins all moves of those before are over, so a resource of which it takes no more than
/// is free then lets every move of it begin at once, and nobody has to remember who took what when.
fn short(flat: &Flat, steps: &[Step], legs: &[Leg]) -> Rows<u32> {
    let mut down = flat.down.clone();
    let mut taken = vec![0; flat.limit.len()];
    let mut rows = Rows::with_capacity(steps.len(), steps.len());
    let mut begin = 0;
    for leg in legs {
        let end = begin + steps[begin..].partition_point(|it| it.wave <= leg.last_wave);
        let its = &steps[begin..end];
        begin = end;
        let of = |it: &Step| flat.takes.row(it.cohort as usize);
        for it in its {
            for &r in of(it) {
                taken[r as usize] += it.count;
            }
        }
        for it in its {
            let free = |r: usize| flat.limit[r].saturating_sub(down[r]);
            let runs_out = |r: &&u32| taken[**r as usize] > free(**r as usize);
            rows.push_row(of(it).iter().filter(runs_out).copied());
        }
        for it in its {
            for &r in of(it) {
                taken[r as usize] = 0;
            }
            for &r in flat.releases.row(it.cohort as usize) {
                down[r as usize] = down[r as usize].saturating_sub(it.count);
            }
        }
    }
    rows
}

/// The order from which the times of the schedule came; of several legs that of the waves, in which
/// none needs what comes after it.
fn queue(
    problem: &Problem,
    flat: &Flat,
    waves: &Waves,
    legs: &[Leg],
    bound_ms: u64,
) -> Option<Vec<RunOf>> {
    let pace = Pace::of(flat, &flat.down_after());
    let chains = Chains::streaming(flat, &pace);
    let scene = Scene::of(problem, flat, &chains, waves);
    if legs.len() > 1 {
        return Some(scene.pass(scene.by_wave())?.queue);
    }
    Some(scene.best(&pace, &chains, bound_ms)?.queue)
}

#[cfg(test)]
mod tests {
    use super::{Leg, short};
    use crate::schedule::flat::Flat;
    use crate::schedule::problem::{Cohort, Cohorts, Group, Problem, Resource};
    use crate::schedule::waves::Step;

    /// Four moves of a second, two at a time by one resource and four by another.
    fn four() -> Problem {
        let mut cohorts = Cohorts::default();
        cohorts.push(Cohort {
            count: 4,
            takes: &[0, 1],
            releases: &[],
            duration_ms: 1000,
        });
        let resource = |limit| Resource {
            name: format!("{limit}").into(),
            limit,
            down: 0,
            is_place: false,
        };
        Problem {
            resources: vec![resource(2), resource(4)],
            groups: vec![Group {
                name: "all".into(),
                cohorts,
                ..Group::default()
            }],
            streaming: true,
            ..Problem::default()
        }
    }

    #[test]
    fn a_leg_asks_what_it_may_run_out_of_and_nothing_else() {
        let step = |wave| Step {
            cohort: 0,
            group: 0,
            wave,
            count: 2,
        };
        let leg = |last_wave| Leg {
            last_wave,
            rest_ms: 0,
        };
        let flat = Flat::of(&four());
        let rows = |legs: &[Leg]| {
            let rows = short(&flat, &[step(1), step(2)], legs);
            [rows.row(0).to_vec(), rows.row(1).to_vec()]
        };
        assert_eq!(rows(&[leg(2)]), [[0], [0]]);
        assert_eq!(rows(&[leg(1), leg(2)]), [[0_u32; 0]; 2]);
    }
}
