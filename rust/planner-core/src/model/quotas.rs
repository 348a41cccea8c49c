//! Quotas of namespaces: how many new pods come at once beside the old ones, and which pods would not
//! come back.

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::{
    budgets::Budget,
    ledger::Ledger,
    room::{asking, requests},
};
use crate::{
    batch::flags,
    diff::{Change, Diff, Kind, Obstacle, WorkloadChanges},
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory, WorkloadIdx},
    kube::{
        asking::Asking,
        quota::{Item, Quota},
        scope::Scoped,
    },
    resource::Resource,
    schedule::problem::ResourceIdx,
};

/// The source of budgets that quotas are.
pub const QUOTA: &str = "ResourceQuota";

/// What quotas say of the moves of one workload.
#[derive(Default)]
pub(super) struct Counted {
    /// Resources from which its surges take besides `maxSurge`.
    pub surge: Vec<ResourceIdx>,
    /// What the pods that come anew are charged with.
    charged: Vec<Charged>,
}

/// One resource of a quota, and what a new pod of a workload needs of it.
struct Charged {
    /// Of the quota, for example `quota/trade/compute`.
    name: String,
    item: Item,
    /// What the template asks for.
    asked: i128,
    /// How much more that is than what the template asked for that was observed.
    more: i128,
}

/// A workload whose pods count in quotas.
struct Guest<'a> {
    /// Its place among the workloads of the diff.
    at: usize,
    changes: &'a WorkloadChanges,
    /// What a new pod is charged with.
    asks: Asking,
    /// The same by the template alone, and by the one that was observed.
    templates: [Asking; 2],
    scoped: Scoped,
}

type Namespace = (ClusterIdx, Box<str>);

/// Enters the quotas of namespaces in which pods surge, and tells what they say of each workload of
/// the diff. Where no quota was observed, nothing is limited.
pub(super) fn count(ledger: &mut Ledger<'_>, diff: &Diff) -> Vec<Counted> {
    let mut counted: Vec<Counted> = diff.workloads.iter().map(|_| Counted::default()).collect();
    let quotas = read(ledger);
    if quotas.is_empty() {
        return counted;
    }
    let inventory = ledger.inventory;
    let limited = quotas.iter();
    let limited = limited.map(|(cluster, quota)| (*cluster, quota.namespace.clone()));
    let mut of: HashMap<Namespace, Vec<Guest<'_>>, FxBuildHasher> =
        limited.map(|namespace| (namespace, Vec::new())).collect();
    let guests: Vec<(Namespace, Guest<'_>)> = diff
        .workloads
        .par_iter()
        .enumerate()
        .filter_map(|(at, changes)| {
            let namespace = namespace_of(inventory, changes.workload);
            of.get(&namespace)?;
            Some((namespace, Guest::read(inventory, at, changes)?))
        })
        .collect();
    for (namespace, guest) in guests {
        of.entry(namespace).and_modify(|all| all.push(guest));
    }
    for (cluster, quota) in quotas {
        let guests = of[&(cluster, quota.namespace.clone())].iter();
        let guests: Vec<&Guest<'_>> = guests
            .filter(|guest| quota.counts(&guest.scoped, &guest.asks))
            .collect();
        let surging: Vec<&Guest<'_>> = guests
            .iter()
            .copied()
            .filter(|guest| guest.surges(inventory))
            .collect();
        if let Some(budget) = budget(inventory, cluster, &quota, &surging) {
            let resource = ledger.enter(budget);
            for guest in surging {
                counted[guest.at].surge.push(resource);
            }
        }
        for guest in guests {
            counted[guest.at].charged.extend(guest.charged(&quota));
        }
    }
    counted
}

/// The quotas of all clusters, by cluster, namespace and name.
fn read(ledger: &mut Ledger<'_>) -> Vec<(ClusterIdx, Quota)> {
    let mut quotas = Vec::new();
    for cluster in 0..ledger.inventory.clusters.len() as ClusterIdx {
        let kind = Resource::ResourceQuotas;
        for quota in ledger.inventory.read_each(cluster, kind, Quota::read) {
            match quota {
                Ok(quota) => quotas.push((cluster, quota)),
                Err(error) => ledger.warnings.push(error),
            }
        }
    }
    quotas
}

fn namespace_of(inventory: &Inventory<'_>, workload: WorkloadIdx) -> Namespace {
    let (cluster, _) = inventory.cluster_of(workload);
    let namespace = &*inventory.workloads[workload as usize].namespace;
    (cluster, namespace.into())
}

/// How many new pods a quota lets come beside the old ones; `None` where it does not say.
fn budget(
    inventory: &Inventory<'_>,
    cluster: ClusterIdx,
    quota: &Quota,
    surging: &[&Guest<'_>],
) -> Option<Budget> {
    let tightest = quota.items.iter().filter_map(|item| {
        let asked = surging.iter().map(|guest| item.asked(&guest.asks)).max()?;
        (asked > 0).then(|| ((item.left() / asked).max(0), asked, item))
    });
    let (fit, asked, item) = tightest.min_by_key(|(fit, ..)| *fit)?;
    let there: u32 = surging.iter().map(|guest| guest.under_way(inventory)).sum();
    let of_those = match there {
        0 => String::new(),
        _ => format!(", and {there} beside the old ones are counted already"),
    };
    Some(Budget {
        name: name_of(quota),
        cluster: Some(cluster),
        source: QUOTA,
        limit: u32::try_from(fit).unwrap_or(u32::MAX).saturating_add(there),
        resolved: format!(
            "{}, and a new pod asks for up to {}{of_those}",
            standing(item),
            item.text(asked)
        ),
        down: 0,
    })
}

fn name_of(quota: &Quota) -> String {
    format!("quota/{}/{}", quota.namespace, quota.name)
}

/// How full a resource of a quota is, in words.
fn standing(item: &Item) -> String {
    let Item {
        resource,
        hard_text,
        used_text,
        ..
    } = item;
    format!("{used_text} of hard {hard_text} {resource} are used")
}

impl<'a> Guest<'a> {
    /// `None` where what its pods ask for cannot be read: then no quota limits it.
    fn read(inventory: &Inventory<'_>, at: usize, changes: &'a WorkloadChanges) -> Option<Self> {
        let template = &inventory.workloads[changes.workload as usize].template;
        let observed = inventory.observed_template(changes.workload);
        Some(Self {
            at,
            changes,
            asks: asking(inventory, changes.workload)?,
            templates: [Asking::of(template)?, Asking::of(observed)?],
            scoped: Scoped::of(template)?,
        })
    }

    /// Whether a pod of it that serves would wait for a new one beside it.
    fn surges(&self, inventory: &Inventory<'_>) -> bool {
        let (cluster, _) = inventory.cluster_of(self.changes.workload);
        let pods = inventory.pods_of(cluster).columns;
        let mut changes = self.changes.changes.iter();
        changes.any(|change| change.kind == Kind::Surge && pods.is_ready(change.row))
    }

    /// Pods beyond the replicas: the quota counts them already.
    fn under_way(&self, inventory: &Inventory<'_>) -> u32 {
        let workload = self.changes.workload as usize;
        let (cluster, _) = inventory.cluster_of(self.changes.workload);
        let pods = inventory.pods_of(cluster).columns;
        let stays = inventory.pods[workload].iter();
        let stays = stays
            .filter(|row| !pods.has(**row, flags::DELETING))
            .count() as u32;
        stays.saturating_sub(inventory.workloads[workload].replicas)
    }

    fn charged(&self, quota: &Quota) -> impl Iterator<Item = Charged> {
        let name = name_of(quota);
        let items = quota.items.iter();
        items.map(move |item| {
            let [asked, observed] = self.templates.each_ref().map(|asks| item.asked(asks));
            Charged {
                name: name.clone(),
                item: item.clone(),
                asked,
                more: asked - observed,
            }
        })
    }
}

impl Counted {
    /// Why no pod would come in place of this one, as far as quotas know: once the old one is gone, and
    /// with it what it was charged with, a new one is let in up to what is hard.
    pub fn refuses(
        &self,
        inventory: &Inventory<'_>,
        workload: WorkloadIdx,
        change: &Change,
    ) -> Option<Obstacle> {
        if self.charged.is_empty() {
            return None;
        }
        let (cluster, view) = inventory.cluster_of(workload);
        let is_ready = view.cluster.pods.is_ready(change.row);
        if change.kind == Kind::InPlace || change.kind == Kind::Surge && is_ready {
            return None;
        }
        let mut all = self.charged.iter();
        all.find_map(|each| each.refuses(inventory, cluster, change.row))
    }
}

impl Charged {
    fn refuses(
        &self,
        inventory: &Inventory<'_>,
        cluster: ClusterIdx,
        row: PodRow,
    ) -> Option<Obstacle> {
        let (asked, more) = match self.item.place() {
            // What was injected into the old pod will be in the new one too.
            Some(place) => {
                let own = requests(inventory, cluster, row)[place];
                let asked = self.asked.max(own + self.more);
                (asked, asked - own)
            }
            None => (self.asked, self.more),
        };
        (asked > 0 && more > self.item.left()).then(|| self.obstacle(asked))
    }

    fn obstacle(&self, asked: i128) -> Obstacle {
        let Self { name, item, .. } = self;
        (
            format!(
                "{name} would let no pod come in its place: {}, and it asks for {}",
                standing(item),
                item.text(asked)
            ),
            format!(
                "raise the hard {} of {name}, or let its pods ask for less",
                item.resource
            ),
        )
    }
}
