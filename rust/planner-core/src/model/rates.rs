//! How fast moves may begin: at one write a move, as fast as the API server of their cluster may be
//! written to.

use crate::{
    inventory::{ClusterIdx, Inventory},
    request::Request,
    schedule::problem::{Rate, RateIdx},
};

/// The rates of a request.
#[derive(Debug)]
pub(super) struct Rates {
    pub all: Vec<Rate>,
    /// The cluster of each.
    pub clusters: Vec<ClusterIdx>,
    /// By cluster.
    of: Vec<Option<RateIdx>>,
    /// Clusters that are not there.
    pub warnings: Vec<String>,
}

impl Rates {
    /// Every cluster has the slowest of those that name it.
    pub fn of(inventory: &Inventory<'_>, request: &Request) -> Self {
        let (mut all, mut clusters) = (Vec::new(), Vec::new());
        let rules = &request.spec.rates;
        let each = (0..).zip(&inventory.clusters).map(|(cluster, view)| {
            let is_of = |named: &Option<String>| named.as_deref().is_none_or(|it| it == view.name);
            let mine = rules.iter().filter(|rule| is_of(&rule.cluster));
            let slowest = mine.min_by_key(|rule| rule.writes_per_second)?;
            all.push(Rate {
                name: format!("{}/{}", slowest.name, view.name).into(),
                per_s: slowest.writes_per_second.max(1),
            });
            clusters.push(cluster);
            Some(all.len() as RateIdx - 1)
        });
        let of = each.collect();
        let is_there = |name: &str| inventory.clusters.iter().any(|view| view.name == name);
        let warnings = rules.iter().filter_map(|rule| {
            let cluster = rule.cluster.as_deref().filter(|it| !is_there(it))?;
            Some(format!(
                "rate {}: there is no cluster {cluster}; correct its name",
                rule.name
            ))
        });
        Self {
            all,
            clusters,
            of,
            warnings: warnings.collect(),
        }
    }

    /// The rate at which moves of a cluster begin.
    pub fn of_cluster(&self, cluster: ClusterIdx) -> Option<RateIdx> {
        self.of[cluster as usize]
    }
}
