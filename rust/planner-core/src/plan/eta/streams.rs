//! Draws of a plan that streams: its moves in the order in which it lets them go, each drawn by
//! itself, as a run without barriers would begin them.

use fastrand::Rng;

use super::{
    Drawn, Draws, Span,
    course::{Course, Header, Streaming},
    known::{Knowing, Known},
    normal,
};
use crate::{
    diff::Kind,
    fleet::PodRow,
    inventory::Inventory,
    model::{Allowances, Model, pose},
    plan::{Plan, PlanError, assign::cohort_starts, compared, moves::MovesReader},
    schedule::{Chunk, Gone, Held, Leg, Rehearsal},
};

/// A plan that streams, to be drawn.
pub(super) struct Streams {
    rehearsal: Rehearsal,
    /// The wave of each chunk, from 0.
    waves: Vec<u32>,
    /// How long a move of each cohort takes.
    known: Vec<Known>,
}

impl Streams {
    /// Poses the problem of the plan again, for its moves alone.
    pub fn of(
        inventory: &Inventory<'_>,
        plan: &Plan,
        (header, streaming): (&Header, &Streaming),
        of: &Draws<'_>,
        (legs, knowing): (Vec<Leg>, &mut Knowing<'_>),
    ) -> Result<Self, PlanError> {
        let (known, bound_ms) = ((of.durations, of.calendars), streaming.bound_ms());
        let supposed = Allowances::again(&header.budgets);
        let (mut changes, ledger) = compared(inventory, &header.request, known, supposed)?;
        let (model, laid) = pose(ledger, &header.request, &mut changes);
        let chunks = chunks(inventory, plan, &model)?;
        let waves = chunks.iter().map(|it| it.wave - 1).collect();
        let rehearsal = Rehearsal::of(&model.problem, laid, &chunks, legs, bound_ms);
        let rehearsal = rehearsal.ok_or_else(|| {
            let why = "its waves break a rule that this version knows";
            PlanError::Codec(why.to_owned())
        })?;
        let kinds = kinds(&model);
        let known = kinds
            .map(|(workload, kind)| knowing.of(workload, kind))
            .collect();
        Ok(Self {
            rehearsal,
            waves,
            known,
        })
    }

    /// One draw.
    #[expect(clippy::cast_sign_loss, reason = "no move takes less than no time")]
    pub fn draw(&self, course: &Course, seed: u64) -> Drawn {
        let mut rng = Rng::with_seed(seed);
        let off = course.off(&mut rng);
        let mut waves = vec![Some(Moved::default()); course.waves.len()];
        self.rehearsal.carry_out(
            |cohort| {
                let Known { spread, median } = self.known[cohort];
                spread
                    .ms(normal::slowest(rng.f64(), 1), off[median as usize])
                    .round() as u64
            },
            |chunk, gone| {
                let wave = &mut waves[self.waves[chunk] as usize];
                *wave = wave.zip(gone).map(|(moved, gone)| moved.with(gone));
            },
        );
        let mut begin = 0;
        let legs = course.legs.iter().map(|leg| {
            let its = &waves[begin..leg.last_wave as usize];
            begin = leg.last_wave as usize;
            let all = its.iter().copied();
            let all = all.reduce(|a, b| Some(a?.and(b?)));
            all.flatten().map(Moved::span)
        });
        Drawn {
            legs: legs.collect(),
            waves: waves.iter().map(|it| it.map(Moved::span)).collect(),
        }
    }
}

/// Moves that were made.
#[derive(Clone, Copy, Debug)]
struct Moved {
    start_ms: u64,
    end_ms: u64,
    past_window: bool,
}

impl Default for Moved {
    fn default() -> Self {
        Self {
            start_ms: u64::MAX,
            end_ms: 0,
            past_window: false,
        }
    }
}

impl Moved {
    fn with(self, gone: Gone) -> Self {
        self.and(Self {
            start_ms: gone.start_ms,
            end_ms: gone.end_ms,
            past_window: gone.past_calendar,
        })
    }

    fn and(self, other: Self) -> Self {
        Self {
            start_ms: self.start_ms.min(other.start_ms),
            end_ms: self.end_ms.max(other.end_ms),
            past_window: self.past_window || other.past_window,
        }
    }

    fn span(self) -> Span {
        Span {
            end_ms: self.end_ms as f64,
            ms: self.end_ms.saturating_sub(self.start_ms) as f64,
            past_window: self.past_window,
        }
    }
}

/// The moves of a plan as chunks of the problem: by wave, group and cohort.
fn chunks(inventory: &Inventory<'_>, plan: &Plan, model: &Model) -> Result<Vec<Chunk>, PlanError> {
    let cohorts = cohorts_of_pods(inventory, model);
    let reader = MovesReader::new(&plan.moves).expect("checked when it was made");
    let mut moves = Vec::with_capacity(plan.moves.num_rows());
    for row in 0..plan.moves.num_rows() {
        let each = reader.row(row);
        let mut clusters = inventory.clusters.iter().zip(&cohorts);
        let found = clusters.find(|(view, _)| view.name == each.cluster);
        let found = found.and_then(|(view, cohorts)| {
            let row = view.cluster.row(each.uid)?;
            cohorts[row as usize]
        });
        let Some((group, cohort)) = found else {
            let (cluster, pod) = (each.cluster, each.pod);
            let why = format!("{cluster}/{pod} cannot move by the rules of this version");
            return Err(PlanError::Codec(why));
        };
        moves.push((each.wave, group, cohort));
    }
    moves.sort_unstable();
    let chunks = moves.chunk_by(|a, b| a == b).map(|its| {
        let (wave, group, cohort) = its[0];
        let (count, held) = (its.len() as u32, Held::Nothing);
        Chunk {
            group,
            cohort,
            wave,
            count,
            held,
        }
    });
    Ok(chunks.collect())
}

/// The group and cohort of the move of each pod, by cluster and row.
fn cohorts_of_pods(inventory: &Inventory<'_>, model: &Model) -> Vec<Vec<Option<(u32, u32)>>> {
    let pods = inventory.clusters.iter().map(|it| it.cluster.pods.len());
    let mut cohorts: Vec<Vec<_>> = pods.map(|pods| vec![None; pods]).collect();
    for (group, (of, posed)) in (0..).zip(model.groups.iter().zip(&model.problem.groups)) {
        let counts = posed.cohorts.counts();
        for (cohort, (begin, count)) in (0..).zip(cohort_starts(posed).zip(counts)) {
            for change in &of.changes[begin as usize..(begin + count) as usize] {
                let row: PodRow = change.row;
                cohorts[of.cluster as usize][row as usize] = Some((group, cohort));
            }
        }
    }
    cohorts
}

/// The workload and the kind of move of each cohort; a cohort never mixes kinds.
fn kinds(model: &Model) -> impl Iterator<Item = (u32, Kind)> + '_ {
    let groups = model.groups.iter().zip(&model.problem.groups);
    groups.flat_map(|(of, posed)| {
        let kind = |begin: u32| of.changes[begin as usize].kind;
        cohort_starts(posed).map(move |begin| (of.workload, kind(begin)))
    })
}

#[cfg(test)]
mod tests {
    use super::{Drawn, Known, Streams};
    use crate::{
        model::Spread,
        plan::eta::{
            course::{Course, Wave},
            drawn,
            known::RULES,
        },
        schedule::{
            Laid, Leg, Rehearsal,
            problem::{Cohort, Cohorts, Group, Problem, Resource},
            solve,
        },
    };

    /// So many moves of a second, two at a time.
    fn pairs(moves: u32) -> Problem {
        let mut cohorts = Cohorts::default();
        cohorts.push(Cohort {
            count: moves,
            takes: &[0],
            releases: &[],
            duration_ms: 1000,
        });
        Problem {
            resources: vec![Resource {
                name: "two".into(),
                limit: 2,
                down: 0,
                is_place: false,
            }],
            groups: vec![Group {
                name: "all".into(),
                cohorts,
                ..Group::default()
            }],
            streaming: true,
            ..Problem::default()
        }
    }

    /// Its moves lie so far apart; a leg ends with each of these waves.
    fn streams(problem: &Problem, spread: f64, legs: &[u32]) -> (Streams, Course) {
        let schedule = solve(problem);
        let leg = |&last_wave: &u32| Leg {
            last_wave,
            rest_ms: 0,
        };
        let legs: Vec<Leg> = legs.iter().chain([&schedule.waves]).map(leg).collect();
        let wave = |_| Wave {
            rest_ms: 0,
            planned_ms: 1000,
            spans_ms: None,
            open: None,
            moves: Vec::new(),
        };
        let course = Course {
            waves: (0..schedule.waves).map(wave).collect(),
            legs: legs.clone(),
            ..Course::default()
        };
        let (laid, bound_ms) = (Laid::of(problem), schedule.least_ms());
        let spread = Spread {
            fixed_ms: 0.0,
            median_ms: 1000.0,
            spread,
            off: 0.0,
            least_ms: 0.0,
        };
        let streams = Streams {
            rehearsal: Rehearsal::of(problem, laid, &schedule.chunks, legs, bound_ms).unwrap(),
            waves: schedule.chunks.iter().map(|it| it.wave - 1).collect(),
            known: vec![Known {
                spread,
                median: RULES,
            }],
        };
        (streams, course)
    }

    fn draws((streams, course): &(Streams, Course), samples: u32, seed: u64) -> Vec<Drawn> {
        drawn(samples, seed, |seed| streams.draw(course, seed))
    }

    /// The mean of when all is over, in seconds.
    fn mean_s(draws: &[Drawn]) -> f64 {
        let ends = draws.iter().map(|it| it.end_ms().unwrap() / 1000.0);
        ends.sum::<f64>() / draws.len() as f64
    }

    #[test]
    fn nobody_waits_for_the_slowest_of_a_wave() {
        let mean =
            |spread, legs: &[u32]| mean_s(&draws(&streams(&pairs(400), spread, legs), 200, 3));
        assert!((mean(0.0, &[]) - 200.0).abs() < 1e-9);
        // The mean of a log-normal move, exp(0.4² / 2), two at a time.
        assert!((mean(0.4, &[]) / (200.0 * 0.08_f64.exp()) - 1.0).abs() < 0.01);
        // With a barrier after each pair the slower of two, 0.4 normal deviates of which lie
        // 0.4 / sqrt(2) apart: 2 exp(0.08) Phi(0.4 / sqrt(2)).
        let barriers: Vec<u32> = (1..200).collect();
        let slower = 2.0 * 0.08_f64.exp() * 0.611_351;
        assert!((mean(0.4, &barriers) / (200.0 * slower) - 1.0).abs() < 0.01);
    }

    #[test]
    fn chance_is_a_seed_and_nothing_else() {
        let plan = streams(&pairs(9), 0.3, &[2]);
        let threads = |count| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
            pool.unwrap().install(|| draws(&plan, 100, 1))
        };
        assert_eq!(threads(1), threads(3));
        assert_ne!(threads(1), draws(&plan, 100, 2));
        // More draws only add to those that were drawn.
        assert_eq!(threads(1)[..50], draws(&plan, 50, 1));
    }
}
