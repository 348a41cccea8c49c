//! Dependencies that make nobody wait.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::{Finding, Posed};
use crate::{
    diff::target::names,
    kube::scaled::IntOrPercent,
    request::{Dependency, WorkloadRef},
};

/// What a reference comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    Nothing,
    /// Workloads of which no pod moves.
    Idle,
    Moving,
}

impl Posed<'_> {
    pub(super) fn dependencies(&self) -> Vec<Finding> {
        let known = Known::of(self);
        let all = self.request.spec.dependencies.iter().enumerate();
        all.flat_map(|(at, dependency)| self.dependency(&known, at, dependency))
            .collect()
    }

    fn dependency(&self, known: &Known<'_>, at: usize, dependency: &Dependency) -> Vec<Finding> {
        let path = format!("dependencies.{at}");
        let waits = text(&dependency.workload);
        match self.meant(known, &dependency.workload) {
            Meant::Moving => {}
            meant => {
                return vec![Finding {
                    message: format!("{waits} {}, so nothing waits", why(meant)),
                    ..finding(path, meant)
                }];
            }
        }
        let of_each = dependency.after.iter().filter_map(|first| {
            let name = format!("{waits} after {}", text(first));
            let meant = self.meant(known, first);
            if meant != Meant::Moving {
                return Some(Finding {
                    message: format!(
                        "{name}: {} {}, so it waits for nothing",
                        text(first),
                        why(meant)
                    ),
                    ..finding(path.clone(), meant)
                });
            }
            // That nothing is asked for the graph of the request says.
            let asks = dependency.ready != Some(IntOrPercent::Percent(0));
            (asks && !known.waiting.contains(&*name)).then(|| Finding {
                rule: "waits-for-nothing",
                path: path.clone(),
                message: format!("{name}: enough of {} is done already", text(first)),
                remedy: "take it out, or ask for a larger `ready`".to_owned(),
            })
        });
        of_each.collect()
    }

    fn meant(&self, known: &Known<'_>, reference: &WorkloadRef) -> Meant {
        let name = (&*reference.namespace, &*reference.name);
        let all = known.by_name.get(&name).into_iter().flatten();
        let is_meant = |index: &&u32| names(reference, &self.inventory.workloads[**index as usize]);
        let mut meant = all.filter(is_meant).peekable();
        if meant.peek().is_none() {
            Meant::Nothing
        } else if meant.any(|index| known.moving.contains(index)) {
            Meant::Moving
        } else {
            Meant::Idle
        }
    }
}

/// What references are looked up in.
struct Known<'a> {
    /// Workloads by namespace and name.
    by_name: HashMap<(&'a str, &'a str), Vec<u32>, FxBuildHasher>,
    /// Workloads with moves.
    moving: HashSet<u32, FxBuildHasher>,
    /// Names of what really waits.
    waiting: HashSet<&'a str, FxBuildHasher>,
}

impl<'a> Known<'a> {
    fn of(posed: &Posed<'a>) -> Self {
        let mut by_name: HashMap<_, Vec<u32>, _> = HashMap::default();
        for (workload, index) in posed.inventory.workloads.iter().zip(0..) {
            let name = (&*workload.namespace, &*workload.name);
            by_name.entry(name).or_default().push(index);
        }
        let problem = &posed.model.problem;
        let groups = posed.model.groups.iter().zip(&problem.groups);
        let moving = groups.filter(|(_, group)| !group.cohorts.is_empty());
        Self {
            by_name,
            moving: moving.map(|(info, _)| info.workload).collect(),
            waiting: problem.precedences.iter().map(|it| &*it.name).collect(),
        }
    }
}

fn finding(path: String, meant: Meant) -> Finding {
    let (rule, remedy) = match meant {
        Meant::Nothing => (
            "matches-nothing",
            "mend the name, or take the dependency out",
        ),
        _ => (
            "waits-for-nothing",
            "take it out, or leave it for the day when it moves",
        ),
    };
    Finding {
        rule,
        path,
        message: String::new(),
        remedy: remedy.to_owned(),
    }
}

fn why(meant: Meant) -> &'static str {
    match meant {
        Meant::Nothing => "is no workload of the fleet",
        _ => "has nothing to move",
    }
}

fn text(reference: &WorkloadRef) -> String {
    format!("{}/{}", reference.namespace, reference.name)
}
