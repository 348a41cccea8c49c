//! What a pod runs: the template of the revision that made it.

use std::{borrow::Cow, collections::BTreeMap};

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{
    inplace::same,
    labels::after_last_hyphen,
    owner::{Metadata, uid},
    template::Template,
    workload::{OnlyTemplate, Workload},
};
use crate::{
    fleet::{Cluster, Fleet, Object},
    resource::Resource,
};

/// One version of a workload: a `ControllerRevision`, or a `ReplicaSet` of a Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision<'f> {
    /// `metadata.name`
    pub name: Cow<'f, str>,
    /// `revision` of a `ControllerRevision`, else 0.
    pub number: u64,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub created: Cow<'f, str>,
    /// The hash that pods of this revision carry.
    hash: Cow<'f, str>,
    /// The pod template with what controllers add to it.
    written: Template<'f>,
    /// What kind of object it is read from.
    resource: Resource,
}

/// The revisions of the workloads of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Revisions<'f> {
    /// By the uid of the workload; oldest first.
    by_workload: BTreeMap<u128, Vec<Revision<'f>>>,
}

impl<'f> Revisions<'f> {
    /// Reads all revisions of the cluster. Documents that cannot be read are left out.
    #[must_use]
    pub fn of(fleet: &'f Fleet, cluster: &Cluster) -> Self {
        let mut by_workload = BTreeMap::<u128, Vec<Revision<'f>>>::new();
        for resource in [Resource::ControllerRevisions, Resource::ReplicaSets] {
            let objects = cluster
                .objects
                .get(&resource)
                .into_iter()
                .flat_map(BTreeMap::values);
            let objects: Vec<&Object> = objects.collect();
            let revisions = objects
                .into_par_iter()
                .filter_map(|object| read(fleet, resource, object));
            for (workload, revision) in revisions.collect::<Vec<_>>() {
                by_workload.entry(workload).or_default().push(revision);
            }
        }
        for revisions in by_workload.values_mut() {
            revisions.sort_by(|a, b| {
                (a.number, &a.created, &a.name).cmp(&(b.number, &b.created, &b.name))
            });
        }
        Self { by_workload }
    }

    /// Takes from a workload what it tells of the revision that its controller updates to, if the
    /// revision was not observed, as in a recording without `controllerrevisions`: then it has the
    /// template that the workload was observed with.
    pub fn tell(&mut self, workload: &Workload<'f>, observed: &Template<'f>) {
        let Some(name) = &workload.update_revision else {
            return;
        };
        let hash = after_last_hyphen(name);
        let known = self.by_workload.entry(workload.uid).or_default();
        if !observed.is_null() && !known.iter().any(|it| *it.hash == *hash) {
            known.push(Revision {
                hash: hash.to_owned().into(),
                name: name.to_string().into(),
                number: u64::MAX,
                created: "".into(),
                written: observed.clone(),
                resource: workload.resource,
            });
        }
    }

    /// The revisions of a workload, oldest first.
    #[must_use]
    pub fn all(&self, workload: u128) -> &[Revision<'f>] {
        self.by_workload.get(&workload).map_or(&[], Vec::as_slice)
    }

    /// The revision that a pod with this revision label is at.
    ///
    /// The label holds the hash of a `ReplicaSet`, the whole name of a `ControllerRevision` or its
    /// bare hash, by kind and version; what follows the last `-` is equal in all of them
    /// (`openkruise/kruise pkg/controller/cloneset/utils EqualToRevisionHash`).
    #[must_use]
    pub fn find(&self, workload: u128, label: &str) -> Option<&Revision<'f>> {
        self.all(workload)
            .iter()
            .find(|revision| revision.is(label))
    }

    /// The revision that the workload's controller updates to, if it is made already.
    ///
    /// Where the status does not tell, it is the one with the workload's template: of several
    /// `ReplicaSets` the oldest (`kubernetes pkg/controller/deployment/util FindNewReplicaSet`), of
    /// several `ControllerRevisions` the newest (`pkg/controller/daemon constructHistory`).
    #[must_use]
    pub fn update(&self, workload: &Workload) -> Option<&Revision<'f>> {
        if let Some(told) = &workload.update_revision {
            return self.find(workload.uid, told);
        }
        let template = workload.template.read();
        let is_current = |revision: &&Revision<'f>| same(&revision.template(), &template);
        let revisions = self.all(workload.uid).iter();
        match workload.resource {
            Resource::Deployments => revisions.clone().find(is_current),
            _ => revisions.rev().find(is_current),
        }
    }

    /// Whether a pod with this revision label is where the workload's controller wants it. That
    /// does not say that it runs the image yet.
    #[must_use]
    pub fn is_updated(&self, workload: &Workload, label: &str) -> bool {
        match (self.update(workload), &workload.update_revision) {
            (Some(revision), _) => revision.is(label),
            (None, Some(told)) => after_last_hyphen(told) == after_last_hyphen(label),
            (None, None) => false,
        }
    }

    /// The place of a pod's revision among those of the workload, oldest 0; unknown ones go last.
    #[must_use]
    pub fn age(&self, workload: u128, label: &str) -> usize {
        let revisions = self.all(workload);
        revisions
            .iter()
            .position(|revision| revision.is(label))
            .unwrap_or(revisions.len())
    }
}

impl Revision<'_> {
    /// Whether a pod with this revision label is at this revision.
    #[must_use]
    pub fn is(&self, label: &str) -> bool {
        !label.is_empty() && *self.hash == *after_last_hyphen(label)
    }

    /// Whether its template is that of the workload, letter by letter: then nobody has to read it.
    #[must_use]
    pub fn is_written_as(&self, workload: &Workload) -> bool {
        self.written.is_written_as(&workload.template)
    }

    /// The pod template, without what the controllers add to the workload's: the directive of the
    /// patch that a `ControllerRevision` is, and the hash label of a `ReplicaSet`.
    #[must_use]
    pub fn template(&self) -> Value {
        let mut template = self.written.read();
        if let Some(fields) = template.as_object_mut() {
            fields.shift_remove("$patch");
        }
        if self.resource == Resource::ReplicaSets {
            let labels = template["metadata"]["labels"].as_object_mut();
            labels.map(|labels| labels.shift_remove("pod-template-hash"));
        }
        template
    }
}

fn read<'f>(fleet: &'f Fleet, resource: Resource, object: &Object) -> Option<(u128, Revision<'f>)> {
    let document: Document<'_> = serde_json::from_str(fleet.document(object)).ok()?;
    let name = fleet.texts.text(object.name);
    let workload = uid(&document.metadata.controller()?.uid)?;
    let known = document.metadata.labels.and_then(|it| it.pod_template_hash);
    let known = known.filter(|_| resource == Resource::ReplicaSets);
    let hash = known.unwrap_or_else(|| after_last_hyphen(name).into());
    let holder = match resource {
        Resource::ReplicaSets => document.spec,
        _ => document.data.and_then(|data| data.spec),
    };
    let written = Template::from(holder?.template?);
    let revision = Revision {
        name: name.into(),
        number: document.revision.unwrap_or(0),
        created: document.metadata.creation_timestamp.unwrap_or_default(),
        hash,
        resource,
        written,
    };
    let is_template = revision.written.is_object();
    is_template.then_some((workload, revision))
}

/// A `ControllerRevision` or a `ReplicaSet`.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    revision: Option<u64>,
    #[serde(borrow)]
    spec: Option<OnlyTemplate<'a>>,
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    spec: Option<OnlyTemplate<'a>>,
}
