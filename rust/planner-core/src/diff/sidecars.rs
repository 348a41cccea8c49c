//! Which sidecars of which pods have to change, and whether `OpenKruise` changes them in place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Diff, Obstacle, SidecarSetChange};
use crate::{
    fleet::PodRow,
    inventory::{ClusterIdx, Inventory},
    kube::{
        labels::LabelIndex,
        order,
        pod::{OncePerText, PodAnnotations, PodSpec, PodsOf},
        sidecar::SidecarSet,
    },
    request::Request,
    resource::Resource,
};

/// Sidecar sets that the request changes, by cluster.
#[derive(Debug)]
pub(super) struct SidecarTargets {
    by_cluster: Vec<Vec<SidecarTarget>>,
}

#[derive(Debug)]
struct SidecarTarget {
    bit: u32,
    set: SidecarSet,
    /// Image by container.
    images: BTreeMap<String, String>,
    /// Pods that its partition keeps at their present image.
    held: BTreeSet<PodRow>,
}

/// What of one pod its sidecars need.
#[derive(Debug, Default)]
pub(super) struct SidecarPart<'a> {
    in_place: Images<'a>,
    anew: Images<'a>,
    /// Why a sidecar that differs stays as long as the pod stays.
    pub obstacle: Option<Obstacle>,
}

#[derive(Debug, Default)]
struct Images<'a> {
    by_container: BTreeMap<&'a str, &'a str>,
    bits: u32,
}

impl<'a> SidecarPart<'a> {
    fn of(&self, anew: bool) -> &Images<'a> {
        if anew { &self.anew } else { &self.in_place }
    }

    /// Image by container, of a pod that is made anew or stays.
    pub(super) fn images(&self, anew: bool) -> &BTreeMap<&'a str, &'a str> {
        &self.of(anew).by_container
    }

    /// The sets whose containers change.
    pub(super) fn bits(&self, anew: bool) -> u32 {
        self.of(anew).bits
    }
}

impl SidecarTargets {
    pub(super) fn new(inventory: &Inventory<'_>, request: &Request, diff: &mut Diff) -> Self {
        let clusters = 0..inventory.clusters.len() as ClusterIdx;
        let by_cluster: Vec<Vec<SidecarTarget>> = clusters
            .map(|cluster| targets_of(inventory, request, cluster, diff))
            .collect();
        for sidecar in &request.spec.target.sidecars {
            let mut all = by_cluster.iter().flatten();
            let name = &sidecar.sidecar_set;
            if !all.any(|it| *it.set.name == **name && it.images.contains_key(&sidecar.container)) {
                diff.warnings.push(format!(
                    "sidecar {name}: no cluster has a SidecarSet of that name with a container {}",
                    sidecar.container
                ));
            }
        }
        Self { by_cluster }
    }

    pub(super) fn has_any(&self, cluster: ClusterIdx) -> bool {
        !self.by_cluster[cluster as usize].is_empty()
    }

    /// Whether one of them was injected into a pod with these annotations.
    pub(super) fn are_injected(&self, cluster: ClusterIdx, annotations: &PodAnnotations) -> bool {
        let mut targets = self.by_cluster[cluster as usize].iter();
        targets.any(|target| target.set.is_injected(annotations))
    }

    /// Whether a partition singles this pod out among those like it.
    pub(super) fn holds(&self, cluster: ClusterIdx, row: PodRow) -> bool {
        self.by_cluster[cluster as usize]
            .iter()
            .any(|target| target.held.contains(&row))
    }

    pub(super) fn part<'a>(
        &'a self,
        cluster: ClusterIdx,
        pods: PodsOf<'a>,
        row: PodRow,
    ) -> SidecarPart<'a> {
        let mut part = SidecarPart::default();
        for target in &self.by_cluster[cluster as usize] {
            let differs = || target.differing(pods, row);
            if !target.differs(pods, row) {
                continue;
            }
            match target.obstacle(pods, row) {
                None => part.in_place.add(differs(), target.bit),
                Some(obstacle) => part.obstacle = part.obstacle.or(Some(obstacle)),
            }
            part.anew.add(differs(), target.bit);
        }
        part
    }
}

impl<'a> Images<'a> {
    fn add(&mut self, images: impl Iterator<Item = (&'a str, &'a str)>, bit: u32) {
        self.by_container.extend(images);
        self.bits |= 1 << bit;
    }
}

impl SidecarTarget {
    fn differs(&self, pods: PodsOf<'_>, row: PodRow) -> bool {
        self.differing(pods, row).next().is_some()
    }

    /// The containers of the pod that run another image, with the image that they should run.
    fn differing<'a>(
        &'a self,
        pods: PodsOf<'a>,
        row: PodRow,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let injected = self.set.is_injected(pods.annotations(row));
        let images = self.images.iter().filter(move |_| injected);
        let images = images.map(|(name, image)| (&**name, &**image));
        images.filter(move |(name, image)| runs_another(pods.spec(row), name, image))
    }

    /// Why its controller leaves the pod as it is.
    fn obstacle(&self, pods: PodsOf<'_>, row: PodRow) -> Option<Obstacle> {
        self.stopped()
            .or_else(|| self.left_out(pods, row))
            .or_else(|| self.unable(pods.annotations(row)))
    }

    /// Why it leaves every pod as it is.
    fn stopped(&self) -> Option<Obstacle> {
        let name = &self.set.name;
        let (reason, remedy) = if self.set.not_update {
            (
                format!("SidecarSet {name} has the strategy NotUpdate"),
                "set its type to RollingUpdate",
            )
        } else if self.set.paused {
            (format!("SidecarSet {name} is paused"), "resume it")
        } else {
            return None;
        };
        Some((reason, remedy.to_owned()))
    }

    /// Why it takes others and not this pod.
    fn left_out(&self, pods: PodsOf<'_>, row: PodRow) -> Option<Obstacle> {
        let (name, updated) = (&self.set.name, self.set.updated.as_ref());
        let (reason, remedy) = if self.held.contains(&row) {
            (
                format!("the partition of SidecarSet {name} keeps it"),
                "lower its partition",
            )
        } else if updated.is_some_and(|it| !it.matches(&pods.labels(row))) {
            (
                format!("updateStrategy.selector of SidecarSet {name} leaves it out"),
                "widen the selector",
            )
        } else {
            return None;
        };
        Some((reason, remedy.to_owned()))
    }

    /// Why it cannot change a pod with these annotations where it is.
    fn unable(&self, annotations: &PodAnnotations) -> Option<Obstacle> {
        let Self { set, images, .. } = self;
        let is_init = |it: &String| set.init_containers.iter().any(|of| *of.name == **it);
        let name = &set.name;
        let reason = if !set.is_upgradable(annotations) {
            format!("SidecarSet {name} changed more than images since the pod was injected")
        } else if images.keys().any(is_init) {
            format!("SidecarSet {name} does not update init containers of live pods")
        } else {
            return None;
        };
        let remedy = "move the application of the pod so that it is made anew";
        Some((reason, remedy.to_owned()))
    }
}

fn runs_another(spec: &PodSpec, container: &str, image: &str) -> bool {
    let mut all = spec.containers.iter().chain(&spec.init_containers);
    all.any(|it| &*it.name == container && &*it.image != image)
}

fn targets_of(
    inventory: &Inventory<'_>,
    request: &Request,
    cluster: ClusterIdx,
    diff: &mut Diff,
) -> Vec<SidecarTarget> {
    let asked = &request.spec.target.sidecars;
    if asked.is_empty() {
        return Vec::new();
    }
    let mut targets = Vec::new();
    let labels = LabelIndex::of(inventory.pods_of(cluster));
    let namespaces = namespaces(inventory, cluster);
    for set in inventory.read_each(cluster, Resource::SidecarSets, SidecarSet::read) {
        let set = match set {
            Ok(set) => set,
            Err(error) => {
                diff.warnings.push(error.to_string());
                continue;
            }
        };
        let has = |container: &str| {
            let mut all = set.containers.iter().chain(&set.init_containers);
            all.any(|sidecar| &*sidecar.name == container)
        };
        let mine = asked
            .iter()
            .filter(|it| *it.sidecar_set == *set.name && has(&it.container));
        let images: BTreeMap<String, String> = mine
            .map(|it| (it.container.clone(), it.to.clone()))
            .collect();
        if !images.is_empty() {
            let bit = targets.len() as u32;
            let mut target = SidecarTarget {
                bit,
                set,
                images,
                held: BTreeSet::new(),
            };
            let matched = target.set.matched(&labels, &namespaces);
            let change = target.enter(cluster, inventory.pods_of(cluster), &matched);
            diff.sidecar_sets.push(change);
            targets.push(target);
        }
    }
    targets
}

impl SidecarTarget {
    /// Counts the pods of the set, and holds back those that its partition keeps.
    fn enter(
        &mut self,
        cluster: ClusterIdx,
        pods: PodsOf<'_>,
        matched: &[PodRow],
    ) -> SidecarSetChange {
        let mut differs = OncePerText::default();
        let (waiting, updated): (Vec<PodRow>, Vec<PodRow>) = matched
            .iter()
            .copied()
            .partition(|row| differs.ask(pods.columns, *row, || self.differs(pods, *row)));
        let kept = self.set.partition_old(matched.len() as u32) as usize;
        if kept > 0 {
            let ordered = order::sidecar_order(&self.set, &waiting, matched, pods);
            let first = ordered.len().saturating_sub(kept);
            self.held = ordered[first..].iter().copied().collect();
        }
        let mut able = OncePerText::default();
        let mut would_change = |row: &PodRow| {
            let find = || self.unable(pods.annotations(*row)).is_none();
            self.left_out(pods, *row).is_none() && able.ask(pods.columns, *row, find)
        };
        let behind = match self.stopped() {
            Some(_) => 0,
            None => waiting.iter().filter(|row| would_change(row)).count(),
        };
        SidecarSetChange {
            cluster,
            bit: self.bit,
            name: self.set.name.to_string(),
            limit: self.set.max_unavailable(matched.len() as u32),
            down: updated.iter().filter(|row| pods.is_down(**row)).count() as u32,
            behind: behind as u32,
        }
    }
}

type NamespaceLabels = BTreeMap<Box<str>, BTreeMap<Box<str>, Box<str>>>;

fn namespaces(inventory: &Inventory<'_>, cluster: ClusterIdx) -> NamespaceLabels {
    let read = |document: &Value| {
        let name = document["metadata"]["name"].as_str().unwrap_or_default();
        let labels = serde_json::from_value(document["metadata"]["labels"].clone());
        (name.into(), labels.unwrap_or_default())
    };
    let namespaces = inventory.read_each(cluster, Resource::Namespaces, read);
    namespaces.into_iter().collect()
}
