//! What proves a bound, and the sentence that says so.

use super::between::Between;
use super::problem::{GroupIdx, PhaseIdx, Problem, RateIdx, ResourceIdx};

/// Phases that a sentence names; there may be thousands.
const PHASES_TOLD: usize = 6;

/// What a bound counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Waves.
    Waves,
    /// Milliseconds.
    Milliseconds,
    /// Milliseconds where nobody waits for a wave to be over.
    Streaming,
}

/// The first or the last waves of a schedule, in which little can go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// How many waves.
    pub waves: u32,
    /// The most moves that can go in them.
    pub moves: u32,
}

/// What one resource lets a group do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The resource.
    pub resource: ResourceIdx,
    /// Moves of the group that take from it.
    pub moves: u32,
    /// How many of them a wave has room for.
    pub room: u32,
}

/// A phase, and the resource that lets only so many of its moves go at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhasePart {
    /// The phase.
    pub phase: PhaseIdx,
    /// What its moves take from.
    pub room: Room,
}

impl PhasePart {
    /// The fewest waves that hold its moves.
    #[must_use]
    pub fn waves(&self) -> u64 {
        self.room.moves.div_ceil(self.room.room).into()
    }

    fn phrase(&self, problem: &Problem) -> String {
        let phase = &problem.phases[self.phase as usize].name;
        let name = &problem.resources[self.room.resource as usize].name;
        let (moves, room) = (self.room.moves, self.room.room);
        let waves = amount(self.waves(), Unit::Waves);
        format!("{phase} ({name} has room for {room} of {moves} moves: {waves})")
    }
}

/// A group in a chain, and what it needs until the next can begin; the last: all that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// The group.
    pub group: GroupIdx,
    /// Moves of it for which the next waits.
    pub moves: u32,
    /// The fewest waves that hold them.
    pub waves: u32,
    /// Moves of each of its stages.
    pub stages: Vec<u32>,
    /// The resource that, with the stages, forces so many waves; `None`: stages and order do.
    pub room: Option<Room>,
    /// The shortest wave in milliseconds.
    pub shortest_ms: u64,
    /// One wave that is no shorter than this, in milliseconds.
    pub longest_ms: u64,
    /// Soak of the stages that end before the moves do, in milliseconds.
    pub soaks_ms: u64,
    /// Until the moves have begun at the group's rate, in milliseconds.
    pub begun_ms: u64,
}

impl ChainLink {
    /// What it needs.
    #[must_use]
    pub fn least(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Waves => self.waves.into(),
            Unit::Milliseconds => {
                let others = u64::from(self.waves.saturating_sub(1));
                self.soaks_ms + self.begun_ms + others * self.shortest_ms + self.longest_ms
            }
            Unit::Streaming => {
                let slots_ms = u64::from(self.waves) * self.shortest_ms;
                let soaks_ms = self.soaks_ms + slots_ms.max(self.longest_ms);
                soaks_ms.max(self.begun_ms + self.shortest_ms)
            }
        }
    }
}

/// The moves that go by one rate, and when all have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The rate.
    pub rate: RateIdx,
    /// All of its moves.
    pub moves: u32,
    /// What they need of it.
    pub units: u64,
    /// Milliseconds.
    pub ms: u64,
}

impl Edge {
    fn phrase(self, which: &str) -> String {
        if self.waves == 0 {
            return String::new();
        }
        let (most, in_waves) = (self.moves, amount(self.waves.into(), Unit::Waves));
        format!(", at most {most} of them in the {which} {in_waves}")
    }
}

impl Begun {
    fn phrase(self, problem: &Problem) -> String {
        let rate = &problem.rates[self.rate as usize];
        let (time, moves) = (amount(self.ms, Unit::Milliseconds), self.moves);
        let units = if self.units == u64::from(moves) {
            String::new()
        } else {
            format!(" with {} units", self.units)
        };
        format!(
            "{time} for {moves} moves{units} at {} a second ({})",
            rate.per_s, rate.name
        )
    }
}

/// What proves a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing moves.
    Nothing,
    /// Groups that wait for each other; one group alone needs so much by its own stages, order
    /// and budgets.
    Chain {
        /// One after the other.
        links: Vec<ChainLink>,
        /// What it counts.
        unit: Unit,
    },
    /// More moves take from a resource than few waves have room for.
    Resource {
        /// The resource.
        resource: ResourceIdx,
        /// Moves that take from it.
        moves: u32,
        /// How many a wave has room for.
        room: u32,
        /// The first waves, when what comes before keeps the moves back.
        head: Edge,
        /// The last waves, when what comes after hurries the moves.
        tail: Edge,
    },
    /// Of the moves that take from a resource more go neither in the first waves nor in the last than
    /// few waves have room for.
    Between {
        /// The resource.
        resource: ResourceIdx,
        /// Moves that take from it.
        moves: u32,
        /// How many a wave has room for.
        room: u32,
        /// Those that go neither first nor last.
        between: Between,
    },
    /// Phases one after the other, each by a resource.
    Phases {
        /// Those that have moves.
        parts: Vec<PhasePart>,
    },
    /// As [`Proof::Resource`], in time.
    ResourceTime {
        /// The resource.
        resource: ResourceIdx,
        /// Moves that take from it.
        moves: u32,
        /// How many a wave has room for.
        room: u32,
        /// Before the first of these moves, in milliseconds.
        head_ms: u64,
        /// Their waves together, in milliseconds.
        moves_ms: u64,
        /// After the last of these moves, in milliseconds.
        tail_ms: u64,
    },
    /// Groups that wait for each other and move only when calendars are open.
    Calendar {
        /// One after the other; those before the last only as far as the next waits for them.
        links: Vec<ChainLink>,
        /// When the last can be done at the earliest, in milliseconds from the start.
        ms: u64,
    },
    /// What waves of groups that go by a rate last, beside the time in which all of its moves begin.
    Begun {
        /// The rate.
        begun: Begun,
        /// What the waves last.
        why: Box<Proof>,
    },
    /// All moves of a rate begin, and then the last of them is made (where nobody waits for a wave to
    /// be over).
    Rate {
        /// The rate.
        begun: Begun,
        /// The shortest of its moves in milliseconds.
        shortest_ms: u64,
    },
    /// So many waves, each at least as long as the shortest move; where nobody waits for them to be
    /// over, as many slots of time.
    Waves {
        /// The shortest move in milliseconds.
        shortest_ms: u64,
        /// What lies beside it in the waves.
        begun: Option<Begun>,
        /// Why so many waves.
        why: Box<Proof>,
    },
}

impl Proof {
    /// One sentence for people, with the names of `problem`.
    #[must_use]
    pub fn sentence(&self, problem: &Problem) -> String {
        let group = |g: GroupIdx| &problem.groups[g as usize].name;
        let resource = |r: ResourceIdx| &problem.resources[r as usize].name;
        match self {
            Self::Nothing => "Nothing moves.".to_owned(),
            Self::Chain { links, unit } => {
                let least = |link: &ChainLink| amount(link.least(*unit), *unit);
                if let [link] = &links[..] {
                    return format!(
                        "{} alone needs {} by its own stages, order and budgets.",
                        group(link.group),
                        least(link)
                    );
                }
                let each = |link: &ChainLink| format!("{} ({})", group(link.group), least(link));
                let each: Vec<String> = links.iter().map(each).collect();
                let total = links.iter().map(|link| link.least(*unit)).sum();
                let total = amount(total, *unit);
                format!(
                    "One waits for the other: {}: {total}.",
                    each.join(", then ")
                )
            }
            Self::Resource {
                resource: r,
                moves,
                room,
                head,
                tail,
            } => {
                let middle = moves - head.moves - tail.moves;
                let waves = head.waves + middle.div_ceil(*room) + tail.waves;
                let edges = [head.phrase("first"), tail.phrase("last")].concat();
                let waves = amount(waves.into(), Unit::Waves);
                format!(
                    "{} has room for {room} of {moves} moves at once{edges}: {waves}.",
                    resource(*r)
                )
            }
            Self::Between {
                resource: r,
                moves,
                room,
                between,
            } => {
                let waves = amount(between.waves(*room).into(), Unit::Waves);
                let (name, between) = (resource(*r), between.phrase());
                format!("{name} has room for {room} of {moves} moves at once{between}: {waves}.")
            }
            Self::Phases { parts } => one_after_the_other(parts, problem),
            Self::ResourceTime {
                resource: r,
                moves,
                room,
                head_ms,
                moves_ms,
                tail_ms,
            } => {
                let mut edges = Vec::new();
                for (edge, which) in [(head_ms, "before"), (tail_ms, "after")] {
                    if *edge > 0 {
                        let time = amount(*edge, Unit::Milliseconds);
                        edges.push(format!(", and {time} go by {which} them"));
                    }
                }
                let (name, edges) = (resource(*r), edges.concat());
                let time = amount(*moves_ms, Unit::Milliseconds);
                format!("{name} has room for {room} of {moves} moves at once: {time}{edges}.")
            }
            Self::Calendar { links, ms } => inside_calendars(links, *ms, problem),
            Self::Waves {
                shortest_ms,
                begun,
                why,
            } => {
                let shortest = amount(*shortest_ms, Unit::Milliseconds);
                let why = why.sentence(problem);
                let beside = begun.map_or_else(String::new, |begun| {
                    format!(" beside {}", begun.phrase(problem))
                });
                format!("No wave is shorter than {shortest}{beside}, and {why}")
            }
            Self::Rate { begun, shortest_ms } => {
                let begun = begun.phrase(problem);
                let shortest = amount(*shortest_ms, Unit::Milliseconds);
                format!("{begun}, and the last of them takes at least {shortest}.")
            }
            Self::Begun { begun, why } => {
                let (begun, why) = (begun.phrase(problem), why.sentence(problem));
                format!("Beside {begun}: {why}")
            }
        }
    }

    /// The groups that the proof goes through, in their order.
    #[must_use]
    pub fn through(&self) -> Vec<GroupIdx> {
        match self {
            Self::Chain { links, .. } | Self::Calendar { links, .. } => {
                links.iter().map(|link| link.group).collect()
            }
            Self::Waves { why, .. } | Self::Begun { why, .. } => why.through(),
            Self::Nothing
            | Self::Resource { .. }
            | Self::Between { .. }
            | Self::Phases { .. }
            | Self::ResourceTime { .. }
            | Self::Rate { .. } => Vec::new(),
        }
    }
}

/// What phases need of which each waits for the one before.
fn one_after_the_other(parts: &[PhasePart], problem: &Problem) -> String {
    let told = parts.iter().take(PHASES_TOLD);
    let mut each: Vec<String> = told.map(|it| it.phrase(problem)).collect();
    if parts.len() > PHASES_TOLD {
        each.push(format!("{} more", parts.len() - PHASES_TOLD));
    }
    let total = amount(parts.iter().map(PhasePart::waves).sum(), Unit::Waves);
    format!(
        "One phase after the other: {}: {total}.",
        each.join(", then ")
    )
}

/// A number and its unit.
pub(super) fn amount(count: u64, unit: Unit) -> String {
    match (unit, count) {
        (Unit::Waves, 1) => "1 wave".to_owned(),
        (Unit::Waves, _) => format!("{count} waves"),
        (_, _) if count.is_multiple_of(1000) => format!("{} s", count / 1000),
        (_, _) => format!("{}.{:03} s", count / 1000, count % 1000),
    }
}

/// What a chain needs whose waves lie inside what calendars have open.
fn inside_calendars(links: &[ChainLink], ms: u64, problem: &Problem) -> String {
    let (last, before) = links.split_last().expect("one that ends last");
    let after: Vec<&str> = before
        .iter()
        .map(|it| &*problem.groups[it.group as usize].name)
        .collect();
    let after = match after[..] {
        [] => String::new(),
        _ => format!(" after {}", after.join(", then ")),
    };
    let calendars = problem.groups[last.group as usize].calendars.iter();
    let names = calendars.map(|it| &*problem.calendars[*it as usize].name);
    let inside = match names.collect::<Vec<_>>()[..] {
        [] => String::new(),
        ref names => format!(" inside {}", names.join(" and ")),
    };
    format!(
        "{}{after} needs {}{inside}: not done before {} have passed.",
        problem.groups[last.group as usize].name,
        amount(last.waves.into(), Unit::Waves),
        amount(ms, Unit::Milliseconds)
    )
}
