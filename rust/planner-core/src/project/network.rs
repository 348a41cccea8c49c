//! A project laid flat for scheduling in both directions.
//!
//! Activities are renumbered such that each comes after those that precede it, so that a walk by
//! number is a walk along the precedences and ties are broken without asking for them.

use super::problem::{ActivityIdx, Project, ProjectError};

/// Four resources side by side: lanes of 32 bits whose highest bit is a guard.
pub(super) type Lanes = u128;
/// Resources in one [`Lanes`].
pub(super) const LANES: usize = 4;
/// The guard bits of all lanes.
pub(super) const GUARDS: Lanes = 0x8000_0000_8000_0000_8000_0000_8000_0000;

/// `units` of a resource in its lane.
pub(super) fn lane(resource: usize, units: u32) -> Lanes {
    Lanes::from(units) << (32 * (resource % LANES))
}

/// The demand of an activity from one block of [`LANES`] resources.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    /// Which block.
    pub block: u32,
    /// Units in each of its lanes.
    pub units: Lanes,
}

/// Lists of different lengths, end to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    fn of(lists: impl IntoIterator<Item = impl IntoIterator<Item = T>>) -> Self {
        let mut ends = vec![0];
        let mut items = Vec::new();
        for list in lists {
            items.extend(list);
            ends.push(items.len() as u32);
        }
        Self { ends, items }
    }

    #[inline]
    pub fn get(&self, index: usize) -> &[T] {
        &self.items[self.ends[index] as usize..self.ends[index + 1] as usize]
    }
}

/// From which end of time a schedule is made. Going backward, times count from the end of the
/// project and successors take the place of predecessors: the mirrored project, forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the beginning.
    Forward,
    /// From the end.
    Backward,
}

impl Direction {
    /// From the other end.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// A valid project, ready to be scheduled.
#[derive(Clone, Debug)]
pub struct Network {
    /// The activity of each number, as the project counts.
    named: Vec<ActivityIdx>,
    pub(super) durations: Vec<u32>,
    pub(super) holds: Lists<Hold>,
    /// Capacity of each block of resources.
    pub(super) blocks: Vec<Lanes>,
    pub(super) capacities: Vec<u32>,
    predecessors: Lists<u32>,
    successors: Lists<u32>,
}

impl Network {
    /// The network of a project.
    pub fn of(project: &Project) -> Result<Self, ProjectError> {
        project.check()?;
        let n = project.activities.len();
        let after = neighbours(project, n, |p| (p.before, p.after));
        let named = ordered(&after)?;
        let mut number = vec![0; n];
        for (i, &activity) in (0..).zip(&named) {
            number[activity as usize] = i;
        }
        let before = neighbours(project, n, |p| (p.after, p.before));
        let renumbered = |lists: &[Vec<u32>]| {
            Lists::of(named.iter().map(|&activity| {
                let list = lists[activity as usize].iter();
                list.map(|&other| number[other as usize])
                    .collect::<Vec<u32>>()
            }))
        };
        let activities = || named.iter().map(|&a| &project.activities[a as usize]);
        let mut blocks = vec![0; project.capacities.len().div_ceil(LANES)];
        for (r, &capacity) in project.capacities.iter().enumerate() {
            blocks[r / LANES] |= lane(r, capacity);
        }
        Ok(Self {
            durations: activities().map(|a| a.duration).collect(),
            holds: Lists::of(activities().map(|activity| {
                let mut holds = std::collections::BTreeMap::new();
                for demand in activity.demands.iter().filter(|d| d.units > 0) {
                    let resource = demand.resource as usize;
                    *holds.entry(resource / LANES).or_insert(0) |= lane(resource, demand.units);
                }
                holds.into_iter().map(|(block, units)| Hold {
                    block: block as u32,
                    units,
                })
            })),
            blocks,
            capacities: project.capacities.clone(),
            predecessors: renumbered(&before),
            successors: renumbered(&after),
            named,
        })
    }

    /// How many activities there are.
    #[must_use]
    pub fn activities(&self) -> usize {
        self.durations.len()
    }

    /// What has to be finished before an activity starts, seen from this end.
    #[inline]
    pub(super) fn before(&self, direction: Direction, activity: usize) -> &[u32] {
        match direction {
            Direction::Forward => self.predecessors.get(activity),
            Direction::Backward => self.successors.get(activity),
        }
    }

    /// What waits for the finish of an activity, seen from this end.
    pub(super) fn after(&self, direction: Direction, activity: usize) -> &[u32] {
        self.before(direction.other(), activity)
    }

    /// The activities, each after those that it waits for, seen from this end.
    pub(super) fn walk(&self, direction: Direction) -> impl Iterator<Item = usize> + use<> {
        let last = self.activities().wrapping_sub(1);
        (0..self.activities()).map(move |i| match direction {
            Direction::Forward => i,
            Direction::Backward => last - i,
        })
    }

    /// Time from the start of each activity until everything that waits for it can be finished,
    /// if resources were without limit, seen from this end.
    pub(super) fn tails(&self, direction: Direction) -> Vec<u32> {
        let mut tails = vec![0; self.activities()];
        for activity in self.walk(direction.other()) {
            let after = self.after(direction, activity).iter();
            let longest = after.map(|&a| tails[a as usize]).max().unwrap_or(0);
            tails[activity] = longest + self.durations[activity];
        }
        tails
    }

    /// Values by the activities of the project as values by number.
    pub(super) fn numbered(&self, values: &[u32]) -> Vec<u32> {
        assert_eq!(values.len(), self.activities(), "one value an activity");
        self.named.iter().map(|&a| values[a as usize]).collect()
    }

    /// Values by number as values by the activities of the project.
    pub(super) fn named(&self, values: &[u32]) -> Vec<u32> {
        let mut named = vec![0; values.len()];
        for (&activity, &value) in self.named.iter().zip(values) {
            named[activity as usize] = value;
        }
        named
    }
}

/// For each activity the others at the far end of its precedences, each once.
fn neighbours(
    project: &Project,
    activities: usize,
    ends: impl Fn(&super::problem::Precedence) -> (u32, u32),
) -> Vec<Vec<u32>> {
    let mut lists = vec![Vec::new(); activities];
    for (near, far) in project.precedences.iter().map(ends) {
        lists[near as usize].push(far);
    }
    for list in &mut lists {
        list.sort_unstable();
        list.dedup();
    }
    lists
}

/// The activities, each after those that precede it (Kahn 1962), the smallest first.
fn ordered(after: &[Vec<u32>]) -> Result<Vec<u32>, ProjectError> {
    let mut waits = vec![0_u32; after.len()];
    for &activity in after.iter().flatten() {
        waits[activity as usize] += 1;
    }
    let mut ready: std::collections::BTreeSet<u32> = (0..after.len() as u32)
        .filter(|&a| waits[a as usize] == 0)
        .collect();
    let mut order = Vec::with_capacity(after.len());
    while let Some(activity) = ready.pop_first() {
        order.push(activity);
        for &next in &after[activity as usize] {
            waits[next as usize] -= 1;
            if waits[next as usize] == 0 {
                ready.insert(next);
            }
        }
    }
    if order.len() < after.len() {
        return Err(ProjectError::Cycle(circle(after, &waits)));
    }
    Ok(order)
}

/// One circle among the activities that still wait, from its smallest on.
fn circle(after: &[Vec<u32>], waits: &[u32]) -> Vec<u32> {
    // Who waits is waited for by one that waits as well, so going back comes round in the end.
    let back = |activity: u32| {
        (0..after.len() as u32)
            .find(|&b| waits[b as usize] > 0 && after[b as usize].contains(&activity))
            .expect("an activity that waits has one that waits before it")
    };
    let mut at = (0..after.len() as u32).find(|&a| waits[a as usize] > 0);
    let mut path: Vec<u32> = Vec::new();
    while let Some(activity) = at {
        if let Some(begin) = path.iter().position(|&p| p == activity) {
            let mut circle = path.split_off(begin);
            circle.reverse();
            let least = (0..circle.len()).min_by_key(|&i| circle[i]).unwrap_or(0);
            circle.rotate_left(least);
            return circle;
        }
        path.push(activity);
        at = Some(back(activity));
    }
    path
}
