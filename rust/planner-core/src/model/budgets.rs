//! Every budget there is: those of the clusters, those of the workloads, those of the request.

use super::ledger::{Charge, Charged, Ledger};
use crate::{
    fleet::{PodRow, Symbol},
    inventory::{ClusterIdx, Inventory, NO_WORKLOAD, WorkloadIdx},
    kube::{
        budget::{DisruptionBudget, Target, UnavailableBudget, scale},
        scaled::{Resolved, Rounding},
        selector::Selector,
        workload::Workload,
    },
    request::{self, Request, Scope},
    resource::Resource as Kind,
    schedule::problem::{Resource, ResourceIdx},
};

/// Index into the budgets of a model.
pub type BudgetIdx = u32;

/// A limit on the pods that may be down at once.
#[derive(Clone, Debug)]
pub struct Budget {
    /// For example `pdb/trade/cart`; unique within its cluster.
    pub name: String,
    /// Its cluster; absent when it spans several.
    pub cluster: Option<ClusterIdx>,
    /// `PodDisruptionBudget`, `PodUnavailableBudget`, `workload`, `surge`, `room`,
    /// `ResourceQuota`, `SidecarSet`, `request`.
    pub source: &'static str,
    /// Pods that may be down at once; the smallest of its places.
    pub limit: u32,
    /// How the limit came about.
    pub resolved: String,
    /// Pods that are down already, over all places.
    pub down: u32,
}

/// The source of budgets under which an eviction is refused when there are two.
pub const PDB: &str = "PodDisruptionBudget";

/// The source of budgets of `OpenKruise`.
pub const PUB: &str = "PodUnavailableBudget";

impl Budget {
    /// A name that is unique in the fleet.
    pub(super) fn unique_name(&self, inventory: &Inventory<'_>) -> String {
        match self.cluster {
            Some(cluster) => {
                format!(
                    "{} ({})",
                    self.name, inventory.clusters[cluster as usize].name
                )
            }
            None => self.name.clone(),
        }
    }
}

impl Ledger<'_> {
    /// Enters the budgets of the clusters and of the request.
    pub fn read_budgets(&mut self, request: &Request) {
        self.read_cluster_budgets();
        for budget in &request.spec.budgets {
            self.read_request_budget(budget);
        }
    }

    /// Enters the budgets of the clusters.
    pub fn read_cluster_budgets(&mut self) {
        for cluster in 0..self.inventory.clusters.len() as ClusterIdx {
            self.read_disruption_budgets(cluster);
            self.read_unavailable_budgets(cluster);
        }
    }

    fn read_disruption_budgets(&mut self, cluster: ClusterIdx) {
        let kind = Kind::PodDisruptionBudgets;
        for budget in self
            .inventory
            .read_each(cluster, kind, DisruptionBudget::read)
        {
            let budget = match budget {
                Ok(budget) => budget,
                Err(error) => {
                    self.warnings.push(error.to_string());
                    continue;
                }
            };
            let rows = self.labels[cluster as usize].rows(&budget.namespace, &budget.selector);
            let limit = budget.limit(rows.len() as u32, self.disruption_scale_of(cluster, &rows));
            let name = format!("pdb/{}/{}", budget.namespace, budget.name);
            self.enter_rows(cluster, rows, name, PDB, limit);
        }
    }

    fn read_unavailable_budgets(&mut self, cluster: ClusterIdx) {
        let kind = Kind::PodUnavailableBudgets;
        for budget in self
            .inventory
            .read_each(cluster, kind, UnavailableBudget::read)
        {
            let budget = match budget {
                Ok(budget) => budget,
                Err(error) => {
                    self.warnings.push(error.to_string());
                    continue;
                }
            };
            let rows = self.unavailable_budget_rows(cluster, &budget);
            let limit = budget.limit(rows.len() as u32, self.scale_of(cluster, &rows));
            let name = format!("pub/{}/{}", budget.namespace, budget.name);
            self.enter_rows(cluster, rows, name, PUB, limit);
        }
    }

    fn unavailable_budget_rows(
        &self,
        cluster: ClusterIdx,
        budget: &UnavailableBudget,
    ) -> Vec<PodRow> {
        let view = &self.inventory.clusters[cluster as usize];
        let pods = self.inventory.pods_of(cluster);
        let everything = Selector::everything();
        let selector = if budget.target.is_some() {
            &everything
        } else {
            &budget.selector
        };
        let mut rows = self.labels[cluster as usize].rows(&budget.namespace, selector);
        rows.retain(|row| {
            let owner = view.workload_of[*row as usize];
            let targeted = budget.target.as_ref().is_none_or(|target| {
                owner != NO_WORKLOAD && is_target(target, &self.inventory.workloads[owner as usize])
            });
            let ignored = budget.ignored.matches(&pods.labels(*row));
            targeted && !ignored && !pods.annotations(*row).unprotected
        });
        rows
    }

    /// What the disruption controller counts on: the replicas of the distinct controllers, and
    /// nothing when one of them has no scale, as every `DaemonSet`: then it fails safe
    /// (`kubernetes pkg/controller/disruption getExpectedScale, failSafe`).
    fn disruption_scale_of(&self, cluster: ClusterIdx, rows: &[PodRow]) -> u32 {
        let view = &self.inventory.clusters[cluster as usize];
        let has_scale = |row: &PodRow| {
            let owner = view.workload_of[*row as usize];
            if owner == NO_WORKLOAD {
                // A pod without controller is passed over.
                return !view
                    .unsupported
                    .contains_key(&view.cluster.pods.class(*row).owner);
            }
            let workload = &self.inventory.workloads[owner as usize];
            !workload.resource.is_daemon_set()
        };
        if rows.iter().all(has_scale) {
            self.scale_of(cluster, rows)
        } else {
            0
        }
    }

    /// The replicas of the distinct controllers of these pods.
    fn scale_of(&self, cluster: ClusterIdx, rows: &[PodRow]) -> u32 {
        let view = &self.inventory.clusters[cluster as usize];
        let mut owners: Vec<WorkloadIdx> = rows
            .iter()
            .map(|row| view.workload_of[*row as usize])
            .collect();
        owners.dedup();
        let owned = owners.into_iter().filter(|owner| *owner != NO_WORKLOAD);
        scale(owned.map(|owner| {
            let workload = &self.inventory.workloads[owner as usize];
            (workload.uid, workload.replicas)
        }))
    }

    fn enter_rows(
        &mut self,
        cluster: ClusterIdx,
        rows: Vec<PodRow>,
        name: String,
        source: &'static str,
        limit: Resolved,
    ) {
        if rows.is_empty() {
            return;
        }
        let down = self.down(cluster, &rows);
        let resource = self.enter(Budget {
            name,
            cluster: Some(cluster),
            source,
            limit: limit.value,
            resolved: limit.text,
            down,
        });
        let resources = Charged::All(resource);
        self.charge(cluster, Charge { rows, resources });
    }

    fn read_request_budget(&mut self, budget: &request::Budget) {
        let everything = Selector::everything();
        let selector = budget.selector.as_ref().unwrap_or(&everything);
        let rows: Vec<Vec<PodRow>> = self
            .labels
            .iter()
            .map(|index| index.rows_everywhere(selector))
            .collect();
        let (tallies, pods) = self.tally(budget.scope, rows);
        let limit = |pods: u32| budget.max_unavailable.floor(pods);
        let Some(smallest) = tallies.iter().min_by_key(|it| (limit(it.pods), it.pods)) else {
            self.warnings
                .push(format!("budget {}: it covers no pod", budget.name));
            return;
        };
        let resolved =
            budget
                .max_unavailable
                .explain("maxUnavailable", smallest.pods, Rounding::Down);
        let text = match budget.scope {
            Scope::Fleet => resolved.text,
            scope => format!(
                "{} for each {}, the smallest of {}",
                resolved.text,
                scope_text(scope),
                tallies.len()
            ),
        };
        self.budgets.push(Budget {
            name: budget.name.clone(),
            cluster: None,
            source: "request",
            limit: resolved.value,
            resolved: text,
            down: tallies.iter().map(|tally| tally.down).sum(),
        });
        let mut by_place: Vec<usize> = (0..tallies.len()).collect();
        by_place.sort_unstable_by_key(|at| tallies[*at].place);
        let mut resources: Vec<ResourceIdx> = vec![0; tallies.len()];
        for at in by_place {
            let tally = &tallies[at];
            let place_name = self.place_text(budget.scope, tally.place);
            let name = match &*place_name {
                "" => budget.name.clone(),
                place => format!("{}/{place}", budget.name),
            };
            let resource = Resource {
                name: name.into(),
                limit: limit(tally.pods),
                down: tally.down,
                is_place: !place_name.is_empty(),
            };
            resources[at] = self.push(resource, &place_name);
        }
        for (cluster, (rows, of_pod)) in (0..).zip(pods) {
            let of_pod = of_pod.into_iter().map(|at| resources[at as usize]);
            let resources = Charged::Each(of_pod.collect());
            self.charge(cluster, Charge { rows, resources });
        }
    }

    /// Counts the pods of each place. Also gives the pods of each cluster that are at a place, and
    /// for each of them the index of its tally.
    fn tally(&self, scope: Scope, rows: Vec<Vec<PodRow>>) -> (Vec<Tally>, Vec<Tallied>) {
        let mut tallies = Vec::<Tally>::new();
        let mut known = Known::default();
        let mut all = Vec::with_capacity(rows.len());
        for (cluster, mut rows) in (0..).zip(rows) {
            let pods = &self.inventory.clusters[cluster as usize].cluster.pods;
            let mut at_place = Vec::with_capacity(rows.len());
            if scope != Scope::Fleet {
                known = Known::default();
            }
            rows.retain(|row| {
                let Some(place) = self.place(scope, cluster, *row) else {
                    return false;
                };
                let at = known.entry(place.1, tallies.len() as u32);
                at_place.push(at);
                if at as usize == tallies.len() {
                    let (pods, down) = (0, 0);
                    tallies.push(Tally { place, pods, down });
                }
                let tally = &mut tallies[at as usize];
                tally.pods += 1;
                tally.down += u32::from(!pods.is_ready(*row));
                true
            });
            all.push((rows, at_place));
        }
        (tallies, all)
    }

    /// What people call the place of a pod; nothing when there is only one.
    pub(super) fn place_of(
        &self,
        scope: Scope,
        cluster: ClusterIdx,
        row: PodRow,
    ) -> Option<String> {
        let place = self.place(scope, cluster, row)?;
        Some(self.place_text(scope, place))
    }

    fn place(&self, scope: Scope, cluster: ClusterIdx, row: u32) -> Option<Place> {
        let view = &self.inventory.clusters[cluster as usize];
        let pods = &view.cluster.pods;
        let within = match scope {
            Scope::Fleet => return Some((0, 0)),
            Scope::Cluster => 0,
            Scope::Namespace => pods.class(row).namespace.0,
            Scope::Workload => {
                let workload = view.workload_of[row as usize];
                (workload != NO_WORKLOAD).then_some(workload)?
            }
            Scope::Node => {
                let node = pods.node[row as usize];
                (node != Symbol::default()).then_some(node.0)?
            }
            Scope::Zone => *view.zones.get(&pods.node[row as usize])?,
        };
        Some((cluster, within))
    }

    fn place_text(&self, scope: Scope, (cluster, within): Place) -> String {
        let view = &self.inventory.clusters[cluster as usize];
        let text = |symbol: u32| self.inventory.fleet.texts.text(Symbol(symbol));
        match scope {
            Scope::Fleet => String::new(),
            Scope::Cluster => view.name.to_owned(),
            Scope::Namespace | Scope::Node => format!("{}/{}", view.name, text(within)),
            Scope::Zone => format!("{}/{}", view.name, view.zone_names[within as usize]),
            Scope::Workload => self.inventory.workloads[within as WorkloadIdx as usize].place(),
        }
    }
}

/// Cluster, and within it a symbol, a zone or a workload.
type Place = (ClusterIdx, u32);

/// Pods, and for each the index of the tally of its place.
type Tallied = (Vec<PodRow>, Vec<u32>);

/// The tally of each place of one cluster. Places are small numbers, so they are indices.
#[derive(Debug, Default)]
struct Known(Vec<u32>);

impl Known {
    const NONE: u32 = u32::MAX;

    /// The tally of a place: the next one when it is new.
    fn entry(&mut self, place: u32, next: u32) -> u32 {
        let at = place as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, Self::NONE);
        }
        if self.0[at] == Self::NONE {
            self.0[at] = next;
        }
        self.0[at]
    }
}

#[derive(Debug)]
struct Tally {
    place: Place,
    pods: u32,
    down: u32,
}

fn is_target(target: &Target, workload: &Workload) -> bool {
    let kind = Kind::of(&target.api_version, &target.kind);
    kind == Some(workload.resource) && target.name == workload.name
}

fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::Node => "node",
        Scope::Zone => "zone",
        Scope::Workload => "workload",
        Scope::Namespace => "namespace",
        Scope::Cluster => "cluster",
        Scope::Fleet => "fleet",
    }
}
