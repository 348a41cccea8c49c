//! Budgets of the request that round to nothing, or that others always make idle.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::{Finding, Posed};
use crate::{
    kube::scaled::IntOrPercent,
    model::BudgetIdx,
    request::{Budget, Scope},
    schedule::problem::ResourceIdx,
};

/// The source of budgets of the request.
const REQUEST: &str = "request";
const PLACES_SHOWN: usize = 3;

/// Budgets that are looked at together: those of the clusters by their source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Family {
    Request(BudgetIdx),
    Clusters(&'static str),
}

impl Family {
    fn text(self, posed: &Posed<'_>) -> String {
        match self {
            Self::Request(index) => posed.model.budgets[index as usize].name.clone(),
            Self::Clusters("workload") => "the workloads' own maxUnavailable".to_owned(),
            Self::Clusters(source) => format!("what the {source}s allow"),
        }
    }
}

/// What a family has for the moves of one place.
#[derive(Clone, Copy, Default)]
struct Beside {
    /// How many of them take from it.
    moves: u64,
    /// Its room for them, each of its resources once.
    room: u64,
}

/// What moves take from each place of the budgets of the request, and what else they take from.
#[derive(Default)]
struct Loads {
    moves: HashMap<ResourceIdx, u64, FxBuildHasher>,
    beside: HashMap<ResourceIdx, BTreeMap<Family, Beside>, FxBuildHasher>,
    seen: HashSet<(ResourceIdx, ResourceIdx), FxBuildHasher>,
}

impl Posed<'_> {
    /// `pods` are those of each resource.
    pub(super) fn budgets(&self, pods: &[u32]) -> Vec<Finding> {
        let loads = self.loads();
        let mut found = Vec::new();
        let mut idle: Vec<(BudgetIdx, BTreeSet<Family>)> = Vec::new();
        for budget in &self.request.spec.budgets {
            let path = format!("budgets.{}", budget.name);
            let of = |it: &crate::model::Budget| it.source == REQUEST && it.name == budget.name;
            let Some(index) = self.model.budgets.iter().position(of) else {
                found.push(Finding {
                    rule: "matches-nothing",
                    path,
                    message: "its selector matches no pod".to_owned(),
                    remedy: "mend its selector, or take it out".to_owned(),
                });
                continue;
            };
            let index = index as BudgetIdx;
            let places: Vec<ResourceIdx> = (0..)
                .zip(&self.model.problem.pools)
                .filter(|(r, of)| **of == index && loads.moves.contains_key(r))
                .map(|(r, _)| r)
                .collect();
            if places.is_empty() {
                found.push(Finding {
                    rule: "never-binds",
                    path,
                    message: "no move takes from it".to_owned(),
                    remedy: "mend its selector, or take it out".to_owned(),
                });
                continue;
            }
            found.extend(self.blocked(budget, &places, &loads, pods));
            let limit = |r: &ResourceIdx| self.model.problem.resources[*r as usize].limit;
            if places.iter().all(|r| limit(r) == 0) {
                continue; // One that allows nothing is not idle, whatever else forbids the same.
            }
            match self.idle(&places, &loads) {
                Idle::Always => found.push(Finding {
                    rule: "never-binds",
                    path,
                    message: "it has room for all moves at once".to_owned(),
                    remedy: "make it smaller, or take it out".to_owned(),
                }),
                Idle::Behind(families) => idle.push((index, families)),
            }
        }
        found.extend(self.behind_others(&idle));
        found
    }

    fn family(&self, resource: ResourceIdx) -> Family {
        let index = self.model.problem.pools[resource as usize];
        match self.model.budgets[index as usize].source {
            REQUEST => Family::Request(index),
            source => Family::Clusters(source),
        }
    }

    fn loads(&self) -> Loads {
        let mut loads = Loads::default();
        let problem = &self.model.problem;
        for cohort in problem.groups.iter().flat_map(|group| group.cohorts.iter()) {
            let takes = cohort.takes;
            let own = takes.iter().map(|r| (*r, self.family(*r)));
            let of_request = own.filter(|(_, family)| matches!(family, Family::Request(_)));
            for (place, family) in of_request {
                let count = u64::from(cohort.count);
                *loads.moves.entry(place).or_default() += count;
                let mut covered = BTreeSet::new();
                for other in takes {
                    let of = self.family(*other);
                    if of == family {
                        continue;
                    }
                    let families = loads.beside.entry(place).or_default();
                    let beside = families.entry(of).or_default();
                    if covered.insert(of) {
                        beside.moves += count;
                    }
                    if loads.seen.insert((place, *other)) {
                        let limit = problem.resources[*other as usize].limit;
                        beside.room += u64::from(limit);
                    }
                }
            }
        }
        loads
    }

    /// Places where moves take from a budget that allows nothing.
    fn blocked(
        &self,
        budget: &Budget,
        places: &[ResourceIdx],
        loads: &Loads,
        pods: &[u32],
    ) -> Option<Finding> {
        let limit = |r: &ResourceIdx| self.model.problem.resources[*r as usize].limit;
        let blocked: Vec<ResourceIdx> = places.iter().copied().filter(|r| limit(r) == 0).collect();
        let smallest = blocked.iter().map(|r| pods[*r as usize]).min()?;
        let moves: u64 = blocked.iter().map(|r| loads.moves[r]).sum();
        let written = match budget.max_unavailable {
            IntOrPercent::Percent(percent) if percent > 0 => Some(percent),
            _ => None,
        };
        let at = match budget.scope {
            Scope::Fleet => String::new(),
            _ => self.at(&blocked, places.len()),
        };
        let path = format!("budgets.{}", budget.name);
        Some(match written {
            Some(percent) => Finding {
                rule: "rounds-to-nothing",
                path,
                message: format!(
                    "{percent}% of {smallest} pods rounds down to 0{at}: none of {moves} moves there can ever be made"
                ),
                remedy: format!(
                    "write at least {}%, or a whole number",
                    100_u32.div_ceil(smallest.max(1))
                ),
            },
            None => Finding {
                rule: "allows-nothing",
                path,
                message: format!("it allows nothing{at}: none of {moves} moves can ever be made"),
                remedy: "write at least 1, or exclude these pods".to_owned(),
            },
        })
    }

    /// Names some places.
    fn at(&self, blocked: &[ResourceIdx], places: usize) -> String {
        let names = blocked.iter().take(PLACES_SHOWN);
        let names: Vec<&str> = names.map(|r| &*self.model.places[*r as usize]).collect();
        let more = match blocked.len().saturating_sub(PLACES_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            " in {} of {places} places ({}{more})",
            blocked.len(),
            names.join(", ")
        )
    }

    /// Which other budgets are full before every place of this one can be.
    fn idle(&self, places: &[ResourceIdx], loads: &Loads) -> Idle {
        let mut behind: Option<BTreeSet<Family>> = None;
        for place in places {
            let resource = &self.model.problem.resources[*place as usize];
            // Pods that are down come back at best, and then others have their whole limit.
            let room = u64::from(resource.limit.saturating_sub(resource.down));
            let moves = loads.moves[place];
            if moves <= room {
                continue;
            }
            let families = loads.beside.get(place).into_iter().flatten();
            let tighter = families.filter(|(_, it)| it.moves == moves && it.room <= room);
            let tighter: BTreeSet<Family> = tighter.map(|(family, _)| *family).collect();
            behind = Some(match behind {
                Some(known) => known.intersection(&tighter).copied().collect(),
                None => tighter,
            });
        }
        behind.map_or(Idle::Always, Idle::Behind)
    }

    /// Of two budgets that say the same, only the later one is idle.
    fn behind_others(&self, idle: &[(BudgetIdx, BTreeSet<Family>)]) -> Vec<Finding> {
        let is_behind = |one: BudgetIdx, other: BudgetIdx| {
            let mut known = idle.iter();
            known.any(|(index, of)| *index == one && of.contains(&Family::Request(other)))
        };
        let mut found = Vec::new();
        for (index, families) in idle {
            let counts = |family: &&Family| match family {
                Family::Request(other) => !is_behind(*other, *index) || other < index,
                Family::Clusters(_) => true,
            };
            if let Some(family) = families.iter().find(counts) {
                let other = family.text(self);
                found.push(Finding {
                    rule: "never-binds",
                    path: format!("budgets.{}", self.model.budgets[*index as usize].name),
                    message: format!(
                        "it never holds anything up: {other} is always at least as tight"
                    ),
                    remedy: "make it smaller, or take it out".to_owned(),
                });
            }
        }
        found
    }
}

/// When a budget is idle.
enum Idle {
    Always,
    /// Behind these others; none of them: it is not idle.
    Behind(BTreeSet<Family>),
}
