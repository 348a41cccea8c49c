//! How fast moves may begin: at one write a move, as fast as the API server of their cluster may be
//! written to, and as fast as the registries of their images may be pulled from.

use std::collections::BTreeSet;

use super::groups::GroupOf;
use crate::{
    diff::{Change, Diff, Kind},
    inventory::{ClusterIdx, Inventory},
    kube::pod::PodSpec,
    request::{self, Request, registry},
    schedule::problem::{Need, Rate, RateIdx},
};

/// What a rate of the problem stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateOf {
    /// Writes to the API server of a cluster: one a move.
    Writes(ClusterIdx),
    /// Pulls of images.
    Pulls {
        /// From this registry.
        registry: Box<str>,
        /// By nodes of this cluster, or of every one.
        cluster: Option<ClusterIdx>,
    },
}

/// The rates of a request.
#[derive(Debug)]
pub(super) struct Rates<'a> {
    inventory: &'a Inventory<'a>,
    pub all: Vec<Rate>,
    /// What each stands for.
    pub of: Vec<RateOf>,
    /// Clusters that are not there.
    pub warnings: Vec<String>,
}

impl<'a> Rates<'a> {
    /// The API server of every cluster has the slowest of those that name it; of pulls all hold.
    pub fn of(inventory: &'a Inventory<'a>, request: &Request) -> Self {
        let mut rates = Self {
            inventory,
            all: Vec::new(),
            of: Vec::new(),
            warnings: Vec::new(),
        };
        for (cluster, view) in (0..).zip(&inventory.clusters) {
            let is_of = |named: &Option<String>| named.as_deref().is_none_or(|it| it == view.name);
            let mine = request
                .spec
                .rates
                .iter()
                .filter(|rule| is_of(&rule.cluster));
            let writes = mine.filter_map(|rule| Some((rule.writes_per_second?, rule)));
            if let Some((per_s, rule)) = writes.min_by_key(|(per_s, _)| *per_s) {
                let name = format!("{}/{}", rule.name, view.name);
                rates.push(name, per_s, RateOf::Writes(cluster));
            }
        }
        for rule in &request.spec.rates {
            let cluster = rule.cluster.as_deref().map(|name| {
                let index = inventory.clusters.iter().position(|view| view.name == name);
                index.map(|index| index as ClusterIdx).ok_or(name)
            });
            match cluster.transpose() {
                Ok(cluster) => rates.push_pulls(rule, cluster),
                Err(name) => rates.warnings.push(format!(
                    "rate {}: there is no cluster {name}; correct its name",
                    rule.name
                )),
            }
        }
        rates
    }

    fn push_pulls(&mut self, rule: &request::Rate, cluster: Option<ClusterIdx>) {
        let (Some(registry), Some(per_s)) = (&rule.registry, rule.pulls_per_second) else {
            return;
        };
        let mut name = format!("{}/{registry}", rule.name);
        if let Some(cluster) = &rule.cluster {
            name = format!("{name}/{cluster}");
        }
        let registry = registry.as_str().into();
        self.push(name, per_s, RateOf::Pulls { registry, cluster });
    }

    fn push(&mut self, name: String, per_s: u32, of: RateOf) {
        self.all.push(Rate {
            name: name.into(),
            per_s: per_s.max(1),
        });
        self.of.push(of);
    }

    /// What a move of a group needs of each rate: of pulls as many as the hungriest of its moves.
    pub fn needs(&self, group: &GroupOf, diff: &Diff) -> Vec<Need> {
        let has_pulls = self.of.iter().any(|it| matches!(it, RateOf::Pulls { .. }));
        let sets = has_pulls.then(|| self.image_sets(group, diff));
        let each = (0..).zip(&self.of).filter_map(|(rate, of)| {
            let units = match of {
                RateOf::Writes(cluster) => u32::from(*cluster == group.cluster),
                RateOf::Pulls { registry, cluster } => sets
                    .as_deref()
                    .filter(|_| cluster.is_none_or(|it| it == group.cluster))
                    .map_or(0, |sets| most_of(registry, sets)),
            };
            (units > 0).then_some(Need { rate, units })
        });
        each.collect()
    }

    /// The images that moves of a group pull, each different set at least once.
    fn image_sets<'d>(&'d self, group: &GroupOf, diff: &'d Diff) -> Vec<BTreeSet<&'d str>> {
        let pods = self.inventory.pods_of(group.cluster);
        let mut known: Option<(&Change, &PodSpec)> = None;
        let mut sets = Vec::new();
        for change in &group.changes {
            let spec = pods.spec(change.row);
            let is_known = known.is_some_and(|(other, of)| {
                std::ptr::eq(of, spec)
                    && other.containers == change.containers
                    && (other.kind == Kind::InPlace) == (change.kind == Kind::InPlace)
            });
            if !is_known {
                sets.push(images(change, spec, diff));
                known = Some((change, spec));
            }
        }
        sets
    }

    /// Registries from which no move pulls.
    pub fn idle(&self, needs: impl Iterator<Item = Need>) -> Vec<String> {
        let used: BTreeSet<RateIdx> = needs.map(|need| need.rate).collect();
        let idle = (0..).zip(&self.of).filter_map(|(rate, of)| match of {
            RateOf::Pulls { registry, .. } if !used.contains(&rate) => Some(format!(
                "rate {}: no move pulls from {registry}; correct its name or take it out",
                self.all[rate as usize].name
            )),
            _ => None,
        });
        idle.collect()
    }
}

/// The images that a move pulls: in place those that change, else all that the pod has after it, for it may
/// come to a node that has none of them.
fn images<'d>(change: &Change, spec: &'d PodSpec, diff: &'d Diff) -> BTreeSet<&'d str> {
    let changed = &diff.containers[change.containers as usize];
    let new = changed.values().map(String::as_str);
    if change.kind == Kind::InPlace {
        return new.collect();
    }
    let all = spec.containers.iter().chain(&spec.init_containers);
    let kept = all.filter(|it| !changed.contains_key(&*it.name));
    new.chain(kept.map(|it| &*it.image)).collect()
}

/// The most images of a registry that are in one of the sets.
fn most_of(of: &str, sets: &[BTreeSet<&str>]) -> u32 {
    let each = sets
        .iter()
        .map(|images| images.iter().filter(|it| registry(it) == of).count());
    each.max().unwrap_or(0) as u32
}
