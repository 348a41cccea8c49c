//! The changes of one workload.
//!
//! Pods with the same spec, revision and annotations need the same move, so the rules run once a
//! class and the rest is looking up.

use std::{cell::OnceCell, collections::BTreeMap};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::Value;

use super::{
    Change, Diff, Drained, Kind, Leaves, Obstacle,
    drain::{Evicted, evicted},
    pod::{Excluded, excluded},
    sidecars::{SidecarPart, SidecarTargets},
    sorting::Sorting,
    target::{ImageRules, WorkloadTarget},
};
use crate::{
    batch::flags,
    fleet::{PodRow, Symbol},
    inventory::{ClusterIdx, ClusterView, Inventory, WorkloadIdx},
    kube::{
        inplace,
        pod::PodSpec,
        revision::{Revision, Revisions},
        strategy::PodUpdatePolicy,
        workload::Workload,
    },
    request::Request,
    resource::Resource,
};

/// Pods of one class need the same: their spec, revision, annotations and labels are the same,
/// and whether a partition of a sidecar set singles them out.
pub(super) type Class = ([Symbol; 4], bool);

pub(super) type Needs = HashMap<Class, Need, FxBuildHasher>;

/// What pods of one class need.
pub(super) struct Need {
    /// Whether their application differs.
    pub application: bool,
    /// The move, or why there is none; absent when the pods are at the target.
    outcome: Option<Result<Change, Obstacle>>,
    /// The move when a partition keeps the application back: sidecars only.
    pub without_application: Option<Change>,
    /// The moves of those that have to leave their nodes.
    pub evicted: Option<Evicted>,
    /// Whether the request excludes all of them.
    excluded: bool,
}

/// Everything the decisions about one workload look at.
pub(super) struct Scene<'a> {
    pub inventory: &'a Inventory<'a>,
    pub cluster: ClusterIdx,
    pub view: &'a ClusterView<'a>,
    pub index: WorkloadIdx,
    pub workload: &'a Workload<'a>,
    pub target: Option<WorkloadTarget>,
    /// The template of the target, once somebody has asked for it.
    template: OnceCell<Value>,
    sidecars: &'a SidecarTargets,
    drained: &'a Drained,
    /// Whether its pods may have to leave nodes.
    pub may_leave: bool,
    /// Whether others wait for it.
    pub is_awaited: bool,
    pub revisions: &'a Revisions<'a>,
}

/// What all workloads share.
pub(super) struct View<'a> {
    pub inventory: &'a Inventory<'a>,
    pub request: &'a Request,
    pub rules: &'a ImageRules<'a>,
    pub sidecars: &'a SidecarTargets,
    pub drained: &'a Drained,
    /// Of each workload, whether others wait for it: how far it is has to be known.
    pub awaited: &'a [bool],
}

/// Adds the diff of one workload; nothing when the request does not speak of it.
pub(super) fn diff_workload(
    shared: &View<'_>,
    revisions: &[Revisions<'_>],
    index: WorkloadIdx,
    diff: &mut Diff,
) {
    let View {
        inventory,
        request,
        rules,
        sidecars,
        drained,
        awaited,
    } = *shared;
    let workload = &inventory.workloads[index as usize];
    let (cluster, view) = inventory.cluster_of(index);
    let target = rules.target_of(workload, inventory.manifested[index as usize]);
    let may_leave = drained.has_any(cluster) && !workload.resource.is_daemon_set();
    let is_awaited = awaited[index as usize];
    if target.is_none() && !sidecars.has_any(cluster) && !may_leave && !is_awaited {
        return;
    }
    let revisions = &revisions[cluster as usize];
    let scene = Scene {
        inventory,
        cluster,
        view,
        index,
        workload,
        target,
        template: OnceCell::new(),
        sidecars,
        drained,
        may_leave,
        is_awaited,
        revisions,
    };
    let exclusion = Excluded::new(inventory, cluster, request);
    let mut sorting = Sorting::default();
    let mut needs: Needs = HashMap::default();
    for row in &inventory.pods[index as usize] {
        let need = needs.entry(scene.class(*row)).or_insert_with(|| Need {
            excluded: exclusion.holds_class(*row),
            ..scene.need(*row, &mut sorting.why_recreate, diff)
        });
        let evicted = need.evicted.filter(|_| scene.leaves(*row));
        let change = match (&need.outcome, evicted) {
            (None, None) => {
                sorting.at_target.push(*row);
                continue;
            }
            _ if need.excluded || exclusion.holds_single(*row) => Err(excluded()),
            (_, Some(evicted)) => scene.may_be_evicted(*row, evicted.whole),
            (Some(outcome), None) => outcome.clone(),
        };
        let leaves = view.cluster.pods.has(*row, flags::DELETING);
        sorting.current += u32::from(!need.application && !leaves);
        match change {
            Ok(change) => sorting.changes.push(Change {
                row: *row,
                ..change
            }),
            Err(obstacle) => sorting.refused.push((*row, obstacle)),
        }
    }
    sorting.finish(&scene, &needs, diff);
}

impl Scene<'_> {
    /// The class of a pod.
    pub fn class(&self, row: PodRow) -> Class {
        let class = self.view.cluster.pods.class(row);
        let texts = [class.spec, class.revision, class.annotations, class.labels];
        (texts, self.sidecars.holds(self.cluster, row))
    }

    /// Whether a `SidecarSet` that changes was injected into one of its pods.
    pub fn has_sidecars(&self) -> bool {
        let pods = self.inventory.pods_of(self.cluster);
        let mut rows = self.inventory.pods[self.index as usize].iter();
        rows.any(|row| {
            self.sidecars
                .are_injected(self.cluster, pods.annotations(*row))
        })
    }

    /// Decides for one pod, and so for all of its class.
    fn need(&self, row: PodRow, why_recreate: &mut Vec<String>, diff: &mut Diff) -> Need {
        let pods = self.inventory.pods_of(self.cluster);
        let spec = pods.spec(row);
        let revision = pods.texts.text(pods.columns.class(row).revision);
        let images = self.images_that_differ(spec);
        let stays = self.target.as_ref().is_none_or(|target| {
            images.is_empty() && (!target.whole || self.is_at_template(revision))
        });
        let sidecars = self.sidecars.part(self.cluster, pods, row);
        let alone = (sidecars.bits(false) != 0).then(|| sidecars_only(row, &sidecars, diff));
        let outcome = if stays {
            match (alone, &sidecars.obstacle) {
                (Some(change), _) => Some(Ok(change)),
                (None, Some(obstacle)) => Some(Err(obstacle.clone())),
                (None, None) => None,
            }
        } else {
            Some(match (self.kind(spec, revision, why_recreate), alone) {
                (Ok(kind), _) => Ok(together(row, kind, images, &sidecars, diff)),
                (Err(_), Some(change)) => Ok(Change {
                    completes: false,
                    ..change
                }),
                (Err(obstacle), None) => Err(obstacle),
            })
        };
        let planned = outcome.as_ref().and_then(|it| it.as_ref().ok());
        let evicted = || evicted(row, stays, planned, &sidecars, diff);
        Need {
            application: !stays,
            evicted: self.may_leave.then(evicted),
            outcome,
            without_application: alone.filter(|_| !stays),
            excluded: false,
        }
    }

    /// Whether a pod has to leave its node.
    fn leaves(&self, row: PodRow) -> bool {
        self.drained.leaves(self.inventory, self.cluster, row)
    }

    /// The move by which a pod leaves its node, unless it keeps data there that an eviction deletes.
    pub fn may_be_evicted(&self, row: PodRow, change: Change) -> Result<Change, Obstacle> {
        let obstacle = || self.drained.obstacle(self.inventory, self.cluster, row);
        match change.leaves {
            Leaves::Evicted => obstacle().map_or(Ok(change), Err),
            Leaves::No | Leaves::Anyway => Ok(change),
        }
    }

    fn images_that_differ(&self, spec: &PodSpec) -> BTreeMap<&str, &str> {
        let target = self.target.iter().flat_map(|target| &target.images);
        let differs = |(name, image): &(&String, &String)| {
            let all = spec.containers.iter().chain(&spec.init_containers);
            all.filter(|it| *it.name == **name)
                .any(|it| *it.image != **image)
        };
        target
            .filter(differs)
            .map(|(name, image)| (&**name, &**image))
            .collect()
    }

    fn is_at_template(&self, revision: &str) -> bool {
        self.change_from(revision) == Some(inplace::Change::Same)
    }

    /// What brings a pod of this revision to the target; `None` when it was not observed.
    fn change_from(&self, revision: &str) -> Option<inplace::Change> {
        let own = self.revisions.find(self.workload.uid, revision)?;
        let target = self.target.as_ref();
        let target = target.expect("only with a target does an application differ");
        if own.is_written_as(self.workload)
            && let Some(containers) = target.ordinary_images(self.workload)
        {
            let change = inplace::images_alone(containers);
            debug_assert_eq!(change, self.compare(own, target));
            return Some(change);
        }
        Some(self.compare(own, target))
    }

    fn compare(&self, own: &Revision<'_>, target: &WorkloadTarget) -> inplace::Change {
        let template = self.template.get_or_init(|| target.template(self.workload));
        inplace::change(&own.template(), template)
    }

    fn kind(
        &self,
        spec: &PodSpec,
        revision: &str,
        why: &mut Vec<String>,
    ) -> Result<Kind, Obstacle> {
        let workload = self.workload;
        let strategy = &workload.strategy;
        if strategy.paused {
            let remedy = format!("resume {}/{}", workload.namespace, workload.name);
            return Err(("the workload is paused".to_owned(), remedy));
        }
        if strategy.all_at_once && workload.replicas > 1 {
            return Err((
                "strategy Recreate takes all its pods down at once".to_owned(),
                "set spec.strategy.type to RollingUpdate".to_owned(),
            ));
        }
        if strategy.on_delete {
            let is_daemon = workload.resource.is_daemon_set();
            return Ok(if is_daemon { Kind::Delete } else { Kind::Evict });
        }
        if workload.may_update_in_place(spec) {
            return self.in_place_or_anew(revision, why);
        }
        Ok(self.anew())
    }

    /// With nothing that may be down, the new pod comes before the old one goes.
    fn anew(&self) -> Kind {
        let workload = self.workload;
        let may_surge = matches!(
            workload.resource,
            Resource::Deployments | Resource::DaemonSets | Resource::CloneSets
        );
        let surges = may_surge
            && workload.max_unavailable(self.view.server_minor).value == 0
            && workload.max_surge().value > 0;
        if surges { Kind::Surge } else { Kind::Recreate }
    }

    fn in_place_or_anew(&self, revision: &str, why: &mut Vec<String>) -> Result<Kind, Obstacle> {
        let unknown = || inplace::Change::Recreate {
            why: format!("its revision {revision} was not observed"),
        };
        let change = self.change_from(revision).unwrap_or_else(unknown);
        let inplace::Change::Recreate { why: obstacle } = change else {
            return Ok(Kind::InPlace);
        };
        if self.workload.strategy.policy == PodUpdatePolicy::InPlaceOnly {
            return Err((
                format!("the policy InPlaceOnly forbids this change: {obstacle}"),
                "change images only, or set the pod update policy to InPlaceIfPossible".to_owned(),
            ));
        }
        if !why.contains(&obstacle) {
            why.push(obstacle);
        }
        Ok(self.anew())
    }
}

/// Application and sidecars in one move. A new pod gets every sidecar of its sets; a pod that
/// stays gets only those that `OpenKruise` changes in place.
fn together<'a>(
    row: PodRow,
    kind: Kind,
    mut images: BTreeMap<&'a str, &'a str>,
    sidecars: &SidecarPart<'a>,
    diff: &mut Diff,
) -> Change {
    let anew = kind != Kind::InPlace;
    images.extend(sidecars.images(anew));
    Change {
        row,
        kind,
        containers: diff.containers_idx(images),
        sidecars: sidecars.bits(anew),
        application: true,
        completes: anew || sidecars.obstacle.is_none(),
        leaves: Leaves::No,
    }
}

fn sidecars_only(row: PodRow, sidecars: &SidecarPart<'_>, diff: &mut Diff) -> Change {
    Change {
        row,
        kind: Kind::InPlace,
        containers: diff.containers_idx(sidecars.images(false).clone()),
        sidecars: sidecars.bits(false),
        application: false,
        completes: sidecars.obstacle.is_none(),
        leaves: Leaves::No,
    }
}
