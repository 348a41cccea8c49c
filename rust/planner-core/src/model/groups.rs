//! Every workload that moves as a group of cohorts, with its stages and what it waits for.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    Model,
    budgets::{Budget, PDB, PUB},
    dependencies::precedences,
    gangs::{Gangs, InGangs},
    ledger::{Charges, Ledger},
    limits::{Limits, enter_surges, is_up},
    queue::Queue,
    quotas::{self, Counted},
    rates::Rates,
    room,
    sequences::{InPhases, Sequences},
    starts::Starts,
    walk::Walk,
};
use crate::{
    diff::{Change, Diff, Kind, Leaves, Obstacle, Unmovable, WorkloadChanges},
    fleet::PodRow,
    inventory::{ClusterIdx, WorkloadIdx},
    kube::{order::Binding, workload::Workload},
    request::Request,
    schedule::problem::{Cohort, Cohorts, Group, Order, Problem, ResourceIdx},
};

/// What a group of the problem stands for.
#[derive(Clone, Debug)]
pub struct GroupOf {
    /// Its workload.
    pub workload: WorkloadIdx,
    /// Its cluster.
    pub cluster: ClusterIdx,
    /// Its moves in order; cohorts are runs of them.
    pub changes: Vec<Change>,
    /// Names of the stages of the group.
    pub stages: Vec<String>,
    /// Of each stage, whether a person decides before the next.
    pub approvals: Vec<bool>,
}

/// Resources of one workload's moves besides those of its pods.
struct Own<'a> {
    /// Its own `maxUnavailable`.
    down: ResourceIdx,
    /// Its `maxSurge`, and rooms on nodes.
    surge: Vec<ResourceIdx>,
    /// Those of sidecar sets, by cluster and bit.
    sidecars: &'a BTreeMap<(ClusterIdx, u32), ResourceIdx>,
    /// Why only pods that leave drained nodes have room in `down`.
    closed: Option<Obstacle>,
    /// Pods that cannot surge where they are, and why.
    stuck: BTreeMap<PodRow, Obstacle>,
    /// What its moves go before and after, wherever those are.
    phases: InPhases,
    /// With what its moves go together.
    gangs: InGangs,
    /// What quotas say of its moves.
    quotas: Counted,
}

pub(super) fn pose(mut ledger: Ledger<'_>, request: &Request, diff: &mut Diff) -> Model {
    let sidecars = enter_sidecar_sets(&mut ledger, diff);
    let each = diff.workloads.par_iter();
    let limits_each = each.map(|changes| Limits::of(&ledger, changes));
    let own_each = || limits_each.collect::<Vec<Limits>>();
    let (charges, mut limits) = rayon::join(|| ledger.sorted_charges(), own_each);
    room::fit(&mut ledger, diff, &mut limits);
    let quotas = quotas::count(&mut ledger, diff);
    diff.warnings.append(&mut ledger.warnings);
    let sequences = Sequences::of(&ledger, request, diff);
    let mut gangs = Gangs::of(ledger.inventory, request, diff);
    let enter = |(at, (limits, quotas)): (usize, (Limits, Counted))| Own {
        phases: sequences.of_workload(at),
        gangs: gangs.of_workload(at),
        down: ledger.enter(limits.down),
        surge: enter_surges(&mut ledger, limits.surge, limits.rooms),
        sidecars: &sidecars,
        closed: limits.closed,
        stuck: limits.stuck,
        quotas,
    };
    let limits = limits.into_iter().zip(quotas).enumerate();
    let own: Vec<Own<'_>> = limits.map(enter).collect();
    let starts = Starts::of(ledger.inventory);
    let pose = |(changes, own)| pose_group(&ledger, &starts, &charges, request, changes, own);
    let each = (&diff.workloads, &own).into_par_iter();
    let pose_each = || each.map(pose).collect::<Vec<Posed>>();
    let ((precedences, mut warnings), posed) =
        rayon::join(|| precedences(&ledger, request, &diff.workloads), pose_each);
    diff.warnings.append(&mut warnings);
    diff.warnings.extend(sequences.warnings);
    let rates = Rates::of(ledger.inventory, request);
    let (mut groups, mut infos) = (Vec::new(), Vec::new());
    for (mut group, info, refused) in posed {
        group.calendars = ledger.calendars.of(ledger.inventory, &info);
        group.needs = rates.needs(&info, diff);
        gangs.tear(ledger.inventory, request, &refused);
        groups.push(group);
        infos.push(info);
        diff.unmovable.extend(refused);
    }
    let needs = groups.iter().flat_map(|it: &Group| it.needs.clone());
    diff.warnings.extend(rates.idle(needs));
    diff.warnings.extend(rates.warnings);
    let problem = Problem {
        rates: rates.all,
        resources: ledger.resources,
        pools: ledger.budget_of,
        groups,
        precedences,
        phases: sequences.phases,
        gangs: gangs.posed,
        calendars: ledger.calendars.all(),
        streaming: request.spec.streaming,
    };
    Model {
        start_ms: ledger.calendars.start_ms,
        deadline_ms: ledger.calendars.deadline_ms,
        problem,
        budgets: ledger.budgets,
        places: ledger.places,
        groups: infos,
        phases: sequences.of_phases,
        gangs: gangs.stand_for,
        gang_entries: gangs.entries,
        rates: rates.of,
    }
}

/// One resource for each sidecar set that changes, by cluster and bit.
fn enter_sidecar_sets(
    ledger: &mut Ledger<'_>,
    diff: &Diff,
) -> BTreeMap<(ClusterIdx, u32), ResourceIdx> {
    let sets = diff.sidecar_sets.iter();
    sets.map(|set| {
        let resource = ledger.enter(Budget {
            name: format!("sidecarset/{}", set.name),
            cluster: Some(set.cluster),
            source: "SidecarSet",
            limit: set.limit.value,
            resolved: set.limit.text.clone(),
            down: set.down,
        });
        ((set.cluster, set.bit), resource)
    })
    .collect()
}

/// A group, what it stands for, and the pods that may not be moved in it.
type Posed = (Group, GroupOf, Vec<Unmovable>);

fn pose_group(
    ledger: &Ledger<'_>,
    starts: &Starts<'_>,
    charges: &[Charges],
    request: &Request,
    of: &WorkloadChanges,
    own: &Own<'_>,
) -> Posed {
    let inventory = ledger.inventory;
    let workload = &inventory.workloads[of.workload as usize];
    let durations = ledger.durations.of(workload, starts.ms(of.workload));
    let (cluster, _) = inventory.cluster_of(of.workload);
    let mut cohorts = Cohorts::with_capacity(of.changes.len());
    let mut touched = Touched::default();
    let (mut kept, mut refused) = (Vec::with_capacity(of.changes.len()), Vec::new());
    let mut queue = Queue::of(workload, inventory.pods_of(cluster));
    let mut walk = Walk::of(workload);
    for (at, change) in of.changes.iter().enumerate() {
        let budgets = charges[cluster as usize].of(change.row);
        let obstacle = obstacle(ledger, of.workload, change, own, budgets)
            .or_else(|| walk.stopped_before(change, inventory.pods_of(cluster)));
        if let Some((reason, remedy)) = obstacle {
            walk.stop_at(change);
            refused.push(Unmovable {
                cluster,
                row: change.row,
                workload: of.workload,
                reason,
                remedy,
            });
            continue;
        }
        touched.charge(ledger, of.workload, change, own, budgets);
        let cohort = Cohort {
            count: 1,
            takes: &touched.takes,
            releases: &touched.releases,
            duration_ms: durations.ms(change.kind),
        };
        let last: Option<&Change> = kept.last();
        let same_kind = last.is_some_and(|last| last.kind == change.kind);
        kept.push(*change);
        let ahead = queue.ahead_of(change, cohort.takes);
        // Who is down already may go at any time.
        let is_taken = !cohort.takes.is_empty();
        let phases = if is_taken { own.phases.of(at) } else { &[] };
        let gang = own.gangs.of(at).filter(|_| is_taken);
        // One for which fewer have to be done than for the others would wait for them in vain.
        let goes_along = cohorts.last_phases() == phases
            && cohorts.last_gang() == gang
            && cohorts.last_ahead() <= ahead;
        match cohorts.last() {
            Some(last) if same_kind && is_same(last, cohort) && goes_along => {
                cohorts.extend_last(1);
            }
            _ => {
                cohorts.push(cohort);
                cohorts.put_ahead(ahead);
                cohorts.put_in(phases);
                cohorts.put_in_gang(gang);
            }
        }
    }
    let order = match of.binding {
        Binding::Strict if !own.phases.is_free => Order::Strict,
        _ => Order::Free,
    };
    let (group, info) = named(workload, (cluster, order), request, of, (kept, cohorts));
    (group, info, refused)
}

/// A group of these moves, and what it stands for.
fn named(
    workload: &Workload<'_>,
    (cluster, order): (ClusterIdx, Order),
    request: &Request,
    of: &WorkloadChanges,
    (changes, cohorts): (Vec<Change>, Cohorts),
) -> (Group, GroupOf) {
    let stages = request.spec.stages.iter();
    let group = Group {
        name: workload.place().into(),
        cohorts,
        order,
        ..Group::default()
    };
    let info = GroupOf {
        workload: of.workload,
        cluster,
        changes,
        stages: stages.clone().map(|stage| stage.name.clone()).collect(),
        approvals: stages.map(|stage| stage.approval.is_some()).collect(),
    };
    (group, info)
}

/// Why a pod can never move, as far as that shows before there is a schedule.
fn obstacle(
    ledger: &Ledger<'_>,
    workload: WorkloadIdx,
    change: &Change,
    own: &Own<'_>,
    budgets: &[ResourceIdx],
) -> Option<Obstacle> {
    if change.kind == Kind::Evict
        && let Some(refused) = two_budgets(ledger, budgets)
    {
        return Some(refused);
    }
    if change.kind == Kind::Surge
        && let Some(stuck) = own.stuck.get(&change.row)
    {
        return Some(stuck.clone());
    }
    if let Some(refused) = own.quotas.refuses(ledger.inventory, workload, change) {
        return Some(refused);
    }
    let closed = own.closed.as_ref()?;
    let is_let = change.leaves == Leaves::Evicted || change.kind == Kind::Surge;
    (!is_let && is_up(ledger, workload, change.row)).then(|| closed.clone())
}

fn is_same(a: Cohort<'_>, b: Cohort<'_>) -> bool {
    a.duration_ms == b.duration_ms && a.takes == b.takes && a.releases == b.releases
}

/// The resources that one move touches.
#[derive(Default)]
struct Touched {
    takes: Vec<ResourceIdx>,
    releases: Vec<ResourceIdx>,
}

impl Touched {
    /// What one move takes and gives back: a pod that serves takes from all its budgets (a surge
    /// only from `maxSurge`, rooms and quotas); a pod that is down gives back what it takes up already.
    fn charge(
        &mut self,
        ledger: &Ledger<'_>,
        workload: WorkloadIdx,
        change: &Change,
        own: &Own<'_>,
        budgets: &[ResourceIdx],
    ) {
        let (cluster, view) = ledger.inventory.cluster_of(workload);
        let is_down = !view.cluster.pods.is_ready(change.row);
        let Self { takes, releases } = self;
        takes.clear();
        releases.clear();
        if is_down {
            releases.extend_from_slice(budgets);
            releases.push(own.down);
        } else if change.kind == Kind::Surge {
            takes.extend_from_slice(&own.surge);
            takes.extend_from_slice(&own.quotas.surge);
        } else {
            takes.extend_from_slice(budgets);
            let mut sidecars = change.sidecars;
            while sidecars != 0 {
                takes.extend(own.sidecars.get(&(cluster, sidecars.trailing_zeros())));
                sidecars &= sidecars - 1;
            }
            if !is_up(ledger, workload, change.row) {
                releases.push(own.down);
            } else if own.closed.is_none() || !is_guarded(ledger, budgets) {
                takes.push(own.down);
            }
        }
        for list in [&mut self.takes, &mut self.releases] {
            list.sort_unstable();
            list.dedup();
        }
    }
}

/// The budgets of resources.
fn budgets_of<'l>(
    ledger: &'l Ledger<'_>,
    resources: &'l [ResourceIdx],
) -> impl Iterator<Item = &'l Budget> {
    let budget = |it: &ResourceIdx| &ledger.budgets[ledger.budget_of[*it as usize] as usize];
    resources.iter().map(budget)
}

/// Whether a budget of the cluster says how many pods such as this one may be down.
fn is_guarded(ledger: &Ledger<'_>, resources: &[ResourceIdx]) -> bool {
    budgets_of(ledger, resources).any(|it| [PDB, PUB].contains(&it.source))
}

/// Why an eviction is refused for ever, if more than one budget of Kubernetes covers the pod.
fn two_budgets(ledger: &Ledger<'_>, resources: &[ResourceIdx]) -> Option<Obstacle> {
    let pdbs = budgets_of(ledger, resources).filter(|budget| budget.source == PDB);
    let names: Vec<&str> = pdbs.map(|budget| &*budget.name).collect();
    (names.len() > 1).then(|| {
        (
            format!(
                "an eviction is refused under two budgets: {}",
                names.join(", ")
            ),
            "narrow the selector of one of them so that a pod is under one budget only".to_owned(),
        )
    })
}
