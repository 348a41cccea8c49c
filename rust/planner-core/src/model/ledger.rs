//! Which budgets each pod belongs to.

use super::{
    allowances::Allowances,
    budgets::{Budget, BudgetIdx},
    calendars::Calendars,
    durations::Durations,
};
use crate::{
    fleet::PodRow,
    inventory::{ClusterIdx, ClusterView, Inventory},
    kube::labels::LabelIndex,
    request::Request,
    schedule::problem::{Resource, ResourceIdx},
};

/// Budgets and their pods, as resources of the problem.
#[derive(Debug)]
pub struct Ledger<'a> {
    pub(super) inventory: &'a Inventory<'a>,
    /// How long moves take.
    pub(super) durations: Durations,
    /// When workloads may move.
    pub(super) calendars: Calendars,
    /// Limits that are supposed.
    pub(super) allowances: Allowances,
    /// Finds pods by labels, by cluster.
    pub(super) labels: Vec<LabelIndex<'a>>,
    pub(super) budgets: Vec<Budget>,
    pub(super) resources: Vec<Resource>,
    pub(super) budget_of: Vec<BudgetIdx>,
    pub(super) places: Vec<Box<str>>,
    /// Budgets that cannot be read or cover nothing.
    pub(super) warnings: Vec<String>,
    /// By cluster, in order of entry.
    pub(super) charges: Vec<Vec<Charge>>,
}

/// Pods and the resources that they are charged with.
#[derive(Debug)]
pub(super) struct Charge {
    pub rows: Vec<PodRow>,
    pub resources: Charged,
}

/// Resources of the pods of a [`Charge`].
#[derive(Debug)]
pub(super) enum Charged {
    /// All pods have this one.
    All(ResourceIdx),
    /// One for each pod.
    Each(Vec<ResourceIdx>),
}

impl Charge {
    fn each(&self, mut act: impl FnMut(PodRow, ResourceIdx)) {
        match &self.resources {
            Charged::All(resource) => self.rows.iter().for_each(|row| act(*row, *resource)),
            Charged::Each(resources) => {
                let pairs = self.rows.iter().zip(resources);
                pairs.for_each(|(row, resource)| act(*row, *resource));
            }
        }
    }
}

/// The resources of each pod of one cluster, pod after pod.
#[derive(Debug)]
pub struct Charges {
    /// Where the resources of each row end; they begin where those of the row before end.
    ends: Vec<u32>,
    resources: Vec<ResourceIdx>,
}

impl Charges {
    /// A counting sort by row that keeps the order of entry.
    fn new(rows: usize, charges: &[Charge]) -> Self {
        let mut ends = vec![0_u32; rows + 1];
        for charge in charges {
            for row in &charge.rows {
                ends[*row as usize + 1] += 1;
            }
        }
        for row in 0..rows {
            ends[row + 1] += ends[row];
        }
        let mut resources = vec![0; ends[rows] as usize];
        for charge in charges {
            charge.each(|row, resource| {
                let at = &mut ends[row as usize];
                resources[*at as usize] = resource;
                *at += 1;
            });
        }
        ends.pop();
        Self { ends, resources }
    }

    /// The resources of one pod.
    #[must_use]
    pub fn of(&self, row: PodRow) -> &[ResourceIdx] {
        let row = row as usize;
        let begin = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.resources[begin as usize..self.ends[row] as usize]
    }
}

impl<'a> Ledger<'a> {
    /// A ledger without budgets.
    #[must_use]
    pub fn new(inventory: &'a Inventory<'a>) -> Self {
        let clusters = 0..inventory.clusters.len() as ClusterIdx;
        Self {
            inventory,
            durations: Durations::default(),
            calendars: Calendars::default(),
            allowances: Allowances::default(),
            labels: clusters
                .map(|cluster| LabelIndex::of(inventory.pods_of(cluster)))
                .collect(),
            budgets: Vec::new(),
            resources: Vec::new(),
            budget_of: Vec::new(),
            places: Vec::new(),
            warnings: Vec::new(),
            charges: inventory.clusters.iter().map(|_| Vec::new()).collect(),
        }
    }

    /// A ledger of the budgets of the clusters and of the request.
    #[must_use]
    pub fn of(inventory: &'a Inventory<'a>, request: &Request) -> Self {
        let mut ledger = Self::new(inventory);
        ledger.read_budgets(request);
        ledger
    }

    /// The same with what runs before saw of how long moves take.
    #[must_use]
    pub fn with_durations(self, durations: Durations) -> Self {
        Self { durations, ..self }
    }

    /// The same with what the request says of time.
    #[must_use]
    pub fn with_calendars(self, calendars: Calendars) -> Self {
        Self { calendars, ..self }
    }

    /// The same with limits of budgets as they are supposed.
    #[must_use]
    pub fn with_allowances(self, allowances: Allowances) -> Self {
        Self { allowances, ..self }
    }

    /// How many of these pods do not serve.
    pub(super) fn down(&self, cluster: ClusterIdx, rows: &[PodRow]) -> u32 {
        let pods = &self.inventory.clusters[cluster as usize].cluster.pods;
        rows.iter().filter(|row| !pods.is_ready(**row)).count() as u32
    }

    /// Enters a budget that has one resource; gives the resource.
    pub(super) fn enter(&mut self, budget: Budget) -> ResourceIdx {
        let name = budget.unique_name(self.inventory).into();
        let resource = Resource {
            name,
            limit: budget.limit,
            down: budget.down,
            is_place: false,
        };
        self.budgets.push(budget);
        self.push(resource, "")
    }

    /// Enters one more resource of the last budget.
    pub(super) fn push(&mut self, resource: Resource, place: &str) -> ResourceIdx {
        let index = self.resources.len() as ResourceIdx;
        self.resources.push(resource);
        self.budget_of.push(self.budgets.len() as BudgetIdx - 1);
        self.places.push(place.into());
        index
    }

    /// Says that pods belong to resources.
    pub(super) fn charge(&mut self, cluster: ClusterIdx, charge: Charge) {
        self.charges[cluster as usize].push(charge);
    }

    /// How many pods each resource covers.
    #[must_use]
    pub fn pods_by_resource(&self) -> Vec<u32> {
        let mut pods = vec![0; self.resources.len()];
        for charge in self.charges.iter().flatten() {
            charge.each(|_, resource| pods[resource as usize] += 1);
        }
        pods
    }

    /// The pods, by cluster and row, that each exclusion of a request matches.
    #[must_use]
    pub fn matched(&self, request: &Request) -> Vec<Vec<(ClusterIdx, PodRow)>> {
        let of = |exclude: &crate::request::Exclude| {
            let clusters = (0..).zip(&self.labels);
            let rows = clusters.map(|(cluster, index)| {
                let rows = index.rows_everywhere(&exclude.selector);
                rows.into_iter().map(move |row| (cluster, row))
            });
            rows.flatten().collect()
        };
        request.spec.exclude.iter().map(of).collect()
    }

    /// What people should know of the budgets.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Every budget.
    #[must_use]
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// The budget of a resource.
    #[must_use]
    pub fn budget_of(&self, resource: ResourceIdx) -> BudgetIdx {
        self.budget_of[resource as usize]
    }

    /// The resources of every pod, by cluster.
    #[must_use]
    pub fn sorted_charges(&self) -> Vec<Charges> {
        let sort = |(of, view): (&Vec<Charge>, &ClusterView<'_>)| {
            Charges::new(view.cluster.pods.len(), of)
        };
        let views = &self.inventory.clusters;
        self.charges.iter().zip(views).map(sort).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Charge, Charged, Charges};

    #[test]
    fn charges_are_sorted_by_pod_in_the_order_of_entry() {
        let each = Charge {
            rows: vec![2, 0],
            resources: Charged::Each(vec![7, 5]),
        };
        let all = Charge {
            rows: vec![2],
            resources: Charged::All(6),
        };
        let charges = Charges::new(3, &[each, all]);
        assert_eq!(charges.of(0), [5]);
        assert_eq!(charges.of(1), [0; 0]);
        assert_eq!(charges.of(2), [7, 6]);
    }
}
