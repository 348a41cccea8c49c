//! Room that several workloads share: where a new pod of one may be put, so may one of another.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::{Guest, Limits, Node, Site, asked};
use crate::{
    inventory::{ClusterIdx, Inventory},
    kube::{asking::Asking, placing::Placing},
    model::budgets::Budget,
};

/// The source of budgets that several workloads have of the nodes of one of them.
pub const ROOM: &str = "room";

/// Into how many parts what a pod asks for is cut, to count what new pods of others use up of a node.
const PARTS: [i128; 4] = [1, 4, 16, 64];

/// New pods that find a node at once, and whose they may be.
pub(super) struct Shared {
    pub budget: Budget,
    /// Places of the workloads among those of the diff.
    pub takers: Vec<usize>,
}

/// Workloads that say the same of the nodes on which their pods may be.
struct Kin<'g> {
    /// Of each node, whether new pods of them may be put there, whatever is there already.
    takes: Vec<bool>,
    parties: Vec<Party<'g>>,
}

/// Those of them whose new pods ask for the same.
struct Party<'g> {
    asks: &'g Asking,
    guests: Vec<&'g Guest<'g>>,
    /// How many new pods of all of them may come at once.
    limit: u64,
}

/// How many new pods may come at once, and still there is room for one of a guest.
struct Standing<'g> {
    guest: &'g Guest<'g>,
    /// Of which kin they may be.
    of: Vec<usize>,
    limit: u64,
    /// How many may come of all these as far as each is looked at alone.
    wanted: u64,
}

/// The budgets of a cluster that may be full before those of its workloads are.
pub(super) fn budgets(
    inventory: &Inventory<'_>,
    cluster: ClusterIdx,
    site: &Site<'_>,
    guests: &[Guest<'_>],
    limits: &[Limits],
) -> Vec<Shared> {
    let limit = |guest: &Guest<'_>| limits[guest.at].surge.as_ref().map_or(0, |it| it.limit);
    let is_of = |guest: &&Guest<'_>| guest.cluster == cluster && limit(guest) > 0;
    let surging: Vec<&Guest<'_>> = guests
        .par_iter()
        .filter(is_of)
        .filter(|guest| !guest.workload(inventory).resource.is_daemon_set())
        .filter(|guest| guest.surged(inventory).next().is_some())
        .collect();
    if surging.len() < 2 {
        return Vec::new();
    }
    let kin = Kin::of_all(site, &surging, limit);
    let parties = kin.par_iter().flat_map(|own| {
        let parties = own.parties.par_iter();
        parties.map(move |party| (own, party))
    });
    let rank = |it: &Standing<'_>| (it.limit, it.guest.workload(inventory).object());
    let all: Vec<&Party<'_>> = kin.iter().flat_map(|it| &it.parties).collect();
    let narrow = parties.filter(|(own, party)| !party.has_plenty(site, own, &all));
    let standings = narrow.filter_map(|(own, party)| {
        let guests = party.guests.iter().filter_map(|guest| {
            let under_way = guest.under_way(inventory, guest.workload(inventory).replicas);
            // Where no more may come than are there, nobody needs a place.
            (under_way < limit(guest)).then(|| (u64::from(under_way), *guest))
        });
        let guests: Vec<(u64, &Guest<'_>)> = guests.collect();
        let standing = Standing::of(site, &kin, own, party, guests.first()?.1);
        let each = guests.into_iter().map(|(under_way, guest)| Standing {
            guest,
            limit: standing.limit + under_way,
            of: standing.of.clone(),
            ..standing
        });
        each.min_by_key(rank)
    });
    let mut tightest: BTreeMap<Vec<usize>, Standing<'_>> = BTreeMap::new();
    for standing in standings.collect::<Vec<_>>() {
        match tightest.get(&standing.of) {
            Some(known) if rank(known) <= rank(&standing) => {}
            _ => drop(tightest.insert(standing.of.clone(), standing)),
        }
    }
    let binding = tightest.values().filter(|it| it.limit < it.wanted);
    binding.map(|it| it.shared(inventory, &kin)).collect()
}

impl<'g> Kin<'g> {
    fn of_all(
        site: &Site<'_>,
        guests: &[&'g Guest<'g>],
        limit: impl Fn(&Guest<'_>) -> u32 + Sync,
    ) -> Vec<Self> {
        type Said<'g> = (&'g Placing, &'g BTreeMap<Box<str>, u64>);
        let mut of: HashMap<Said<'g>, Vec<&'g Guest<'g>>, FxBuildHasher> = HashMap::default();
        for guest in guests {
            let said = (&guest.placing, &guest.asks.others);
            of.entry(said).or_default().push(guest);
        }
        let mut of: Vec<Vec<&Guest<'_>>> = of.into_values().collect();
        of.sort_unstable_by_key(|guests| guests[0].at);
        let kin = of.into_par_iter().map(|guests| {
            let takes = site.nodes.iter().map(|node| guests[0].offers(node) > 0);
            let takes = takes.collect();
            let mut parties: BTreeMap<_, Party<'_>> = BTreeMap::new();
            for guest in guests {
                let party = parties.entry(guest.asks.amounts).or_insert_with(|| Party {
                    asks: &guest.asks,
                    guests: Vec::new(),
                    limit: 0,
                });
                party.limit += u64::from(limit(guest));
                party.guests.push(guest);
            }
            let parties = parties.into_values().collect();
            Self { takes, parties }
        });
        kin.collect()
    }
}

impl<'g> Standing<'g> {
    /// Of the guests of a party, without those that are under way.
    fn of(
        site: &Site<'_>,
        kin: &[Kin<'g>],
        own: &Kin<'_>,
        party: &Party<'_>,
        guest: &'g Guest<'g>,
    ) -> Self {
        let nodes = site.nodes.iter().enumerate();
        let nodes = nodes.filter(|(at, _)| own.takes[*at]);
        let nodes = nodes.filter(|(_, node)| party.asks.fit_in(&node.free) > 0);
        let (places, nodes): (Vec<usize>, Vec<&Node<'_>>) = nodes.unzip();
        let meets = |at: &usize| places.iter().any(|node| kin[*at].takes[*node]);
        let of: Vec<usize> = (0..kin.len()).filter(meets).collect();
        let others: Vec<&Party<'_>> = of.iter().flat_map(|at| &kin[*at].parties).collect();
        let wanted = others.iter().map(|it| it.limit).sum();
        let mut limit = 0;
        for parts in PARTS {
            limit = limit.max(party.at_once(&nodes, &others, parts));
            if limit >= wanted {
                break;
            }
        }
        Self {
            guest,
            of,
            limit,
            wanted,
        }
    }

    fn shared(&self, inventory: &Inventory<'_>, kin: &[Kin<'_>]) -> Shared {
        let Self { guest, limit, .. } = self;
        let name = guest.workload(inventory).object();
        let parties = self.of.iter().flat_map(|at| &kin[*at].parties);
        let takers = parties.flat_map(|party| party.guests.iter().map(|guest| guest.at));
        let takers: Vec<usize> = takers.collect();
        Shared {
            budget: Budget {
                name: format!("room/{name}"),
                cluster: Some(guest.cluster),
                source: ROOM,
                limit: u32::try_from(*limit).unwrap_or(u32::MAX),
                resolved: format!(
                    "so many new pods of {} workloads leave none of {name} without a node, which \
                     asks for {}",
                    takers.len(),
                    asked(&guest.asks)
                ),
                down: 0,
            },
            takers,
        }
    }
}

impl Party<'_> {
    /// How many new pods may come to these nodes at once, and still there is room for one of these,
    /// the last of them. Counted in parts of what it asks for: a node is full when as many are used
    /// up as it [holds](Self::holds), and each pod [uses up](Self::uses) some on one node.
    fn at_once(&self, nodes: &[&Node<'_>], others: &[&Party<'_>], parts: i128) -> u64 {
        let held: Vec<u64> = nodes.iter().map(|node| self.holds(node, parts)).collect();
        let most = held.iter().copied().max().unwrap_or(0);
        let used = others.iter().map(|it| {
            let is_own = std::ptr::eq(*it, self);
            (self.uses(it, parts).min(most), it.limit - u64::from(is_own))
        });
        let used = used.filter(|(_, pods)| *pods > 0);
        let mut used: Vec<(u64, u64)> = used.collect();
        used.sort_unstable_by(|a, b| b.cmp(a));
        // As many of the hungriest as it takes to fill each node by itself.
        let hungriest = used.first().map_or(1, |(uses, _)| *uses);
        let by_node = held.iter().map(|held| held.div_ceil(hungriest)).sum();
        // As many as fill all of them together, the hungriest first.
        let mut left = held.iter().sum::<u64>().saturating_sub(1);
        let mut together = 1;
        for (uses, pods) in used {
            let fit = pods.min(left / uses);
            together += fit;
            left -= fit * uses;
            if fit < pods {
                break;
            }
        }
        together.max(by_node)
    }

    /// Whether there is room for one of these whatever may come of all workloads of the cluster. Looks
    /// at few nodes where that is so.
    fn has_plenty(&self, site: &Site<'_>, own: &Kin<'_>, all: &[&Party<'_>]) -> bool {
        let used = all
            .iter()
            .map(|it| self.uses(it, 1).saturating_mul(it.limit));
        let mut wanted = used.fold(0, u64::saturating_add);
        let nodes = site.nodes.iter().zip(&own.takes);
        nodes.filter(|(_, takes)| **takes).any(|(node, _)| {
            let fits = self.asks.fit_in(&node.free) > 0;
            wanted = wanted.saturating_sub(if fits { self.holds(node, 1) } else { 0 });
            wanted == 0
        })
    }

    /// How many parts have to be used up on a node with room for one of its pods before there may be
    /// none. What it does not ask for cannot run out.
    fn holds(&self, node: &Node<'_>, parts: i128) -> u64 {
        let [cpu, memory, pods] = self.asks.amounts;
        let whole = [(cpu, parts), (memory, parts), (pods, 1)].into_iter();
        let amounts = node.free.iter().zip(whole);
        let amounts = amounts.map(|(free, (own, parts))| (*free, own, parts));
        let others = self.asks.others.iter().map(|(name, own)| {
            let offered = node.place.others.get(name).copied().unwrap_or(0);
            (offered.into(), i128::from(*own), parts)
        });
        let asked = amounts.chain(others).filter(|(_, own, _)| *own > 0);
        let held = asked.map(|(free, own, parts)| (free - own) * parts / own + 1);
        u64::try_from(held.min().unwrap_or(0)).unwrap_or(0)
    }

    /// How many parts a new pod of others uses up.
    fn uses(&self, other: &Party<'_>, parts: i128) -> u64 {
        let [cpu, memory, _] = self.asks.amounts;
        let amounts = [cpu, memory].into_iter().zip(other.asks.amounts);
        let others = self.asks.others.iter().map(|(name, own)| {
            let its = other.asks.others.get(name).copied().unwrap_or(0);
            (i128::from(*own), its.into())
        });
        let asked = amounts.chain(others).filter(|(own, _)| *own > 0);
        let used = asked.map(|(own, its)| (its * parts + own - 1) / own);
        u64::try_from(used.max().unwrap_or(1).max(1)).unwrap_or(u64::MAX)
    }
}
