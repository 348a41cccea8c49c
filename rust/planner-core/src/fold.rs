//! Folds batches of observations into the fleet.
//!
//! - `observed` inserts an object or replaces the one with the same uid; one that is not newer than
//!   what is known changes nothing, so that an event may come twice. Version 0 is no version and
//!   always replaces.
//! - `gone` removes the object with that uid.
//! - `list_completed` removes what has not been mentioned since `list_begun`. A list that is still
//!   open is part of the fleet, so that a log may be cut anywhere.
//! - Every row moves `now_ms` forward, never back.

use arrow_array::cast::AsArray;

use crate::{
    batch::{Batch, Columns, Dictionary, Event},
    error::OrderError,
    fleet::{Archive, Class, Cluster, Fleet, Interner, List, Object, Pod, Span, Symbol},
    resource::Resource,
};

/// Folds a batch of `cluster` whose first row has position `position_first`. Takes the fleet and
/// gives it back, so that a batch costs what it holds and not what the fleet holds.
///
/// Positions grow; those between belong to events that tell nothing of any cluster (plans, runs).
pub fn fold(
    mut fleet: Fleet,
    cluster: &str,
    position_first: u64,
    batch: &Batch,
) -> Result<Fleet, OrderError> {
    if position_first <= fleet.position {
        return Err(OrderError {
            position: fleet.position,
            found: position_first,
        });
    }
    apply(&mut fleet, cluster, batch);
    // The last position is that of the last row; an empty batch has none.
    fleet.position = (position_first + batch.len() as u64 - 1).max(fleet.position);
    Ok(fleet)
}

/// Folds batches one after the other, so that none but the one at hand need be in memory.
#[derive(Debug)]
pub struct Folding {
    fleet: Fleet,
    rows_before: usize,
}

impl Folding {
    /// Goes on from a fleet.
    #[must_use]
    pub fn of(fleet: Fleet) -> Self {
        let rows_before = fleet.rows();
        Self { fleet, rows_before }
    }

    /// As [`fold`].
    pub fn add(
        self,
        cluster: &str,
        position_first: u64,
        batch: &Batch,
    ) -> Result<Self, OrderError> {
        let mut fleet = fold(self.fleet, cluster, position_first, batch)?;
        fleet.documents.pack_new();
        Ok(Self { fleet, ..self })
    }

    /// The fleet, put away packed.
    #[must_use]
    pub fn finish(self) -> Fleet {
        let mut fleet = self.fleet;
        // What little is folded in makes room for what comes next.
        if fleet.rows() > self.rows_before / 8 * 9 {
            fleet.shrink();
        }
        fleet.pack();
        fleet
    }
}

/// Applies every row, whatever its position.
pub(crate) fn apply(fleet: &mut Fleet, cluster: &str, batch: &Batch) {
    if !fleet.clusters.contains_key(cluster) {
        fleet.clusters.insert(cluster.into(), Cluster::default());
    }
    let state = fleet.clusters.get_mut(cluster).expect("inserted above");
    let documents = &mut fleet.documents;
    let columns = batch.columns();
    let shared = SharedTexts::intern(&columns, &mut fleet.texts);
    for row in 0..batch.len() {
        fleet.now_ms = fleet.now_ms.max(columns.time_ms.value(row));
        let event = Event::from_code(columns.event.value(row)).expect("batches are checked");
        let resource =
            Resource::from_code(columns.resource.value(row)).expect("batches are checked");
        match event {
            Event::ListBegun => {
                let resource_version = columns.resource_version.value(row);
                state.lists.insert(
                    resource,
                    List {
                        resource_version,
                        ..List::default()
                    },
                );
            }
            Event::Observed if resource == Resource::Pods => {
                state.observe_pod(&shared.pod(&columns, row));
            }
            Event::Observed => {
                let uid = columns.uid_of(row);
                let object = Object {
                    namespace: shared.text(0, columns.namespace, row),
                    name: fleet.texts.intern(columns.name.value(row)),
                    resource_version: columns.resource_version.value(row),
                    document: Span::default(),
                };
                let document = columns.document.value(row);
                state.observe_object(resource, uid, object, documents, document);
            }
            Event::Gone => state.remove(resource, columns.uid_of(row), documents),
            Event::ListCompleted => state.complete_list(resource, documents),
            Event::TimePassed => {}
        }
    }
}

impl Cluster {
    fn observe_pod(&mut self, pod: &Pod<'_>) {
        self.mention(Resource::Pods, pod.uid);
        let Some(row) = self.row(pod.uid) else {
            let row = self.pods.push(pod);
            let rows = self.rows.get_mut().expect("made to find the row");
            rows.insert(&self.pods, row);
            return;
        };
        if is_newer(
            pod.resource_version,
            self.pods.resource_version[row as usize],
        ) {
            self.pods.replace(row, pod);
        }
    }

    fn observe_object(
        &mut self,
        resource: Resource,
        uid: u128,
        mut object: Object,
        documents: &mut Archive,
        document: &str,
    ) {
        self.mention(resource, uid);
        let objects = self.objects.entry(resource).or_default();
        let known = objects.get(&uid);
        if known.is_none_or(|it| is_newer(object.resource_version, it.resource_version)) {
            object.document = documents.push(document);
            if let Some(before) = objects.insert(uid, object) {
                documents.forget(before.document);
            }
        }
    }

    fn mention(&mut self, resource: Resource, uid: u128) {
        if let Some(list) = self.lists.get_mut(&resource) {
            list.mentioned.insert(uid);
        }
    }

    fn remove(&mut self, resource: Resource, uid: u128, documents: &mut Archive) {
        if resource == Resource::Pods {
            if let Some(row) = self.row(uid) {
                let rows = self.rows.get_mut().expect("made to find the row");
                rows.remove(&self.pods, uid);
                self.pods.live[row as usize] = false;
            }
        } else if let Some(objects) = self.objects.get_mut(&resource) {
            if let Some(object) = objects.remove(&uid) {
                documents.forget(object.document);
            }
            if objects.is_empty() {
                self.objects.remove(&resource);
            }
        }
    }

    /// A list that never began says nothing.
    fn complete_list(&mut self, resource: Resource, documents: &mut Archive) {
        let Some(list) = self.lists.remove(&resource) else {
            return;
        };
        let is_gone = |uid: &u128| !list.mentioned.contains(uid);
        let gone: Vec<u128> = if resource == Resource::Pods {
            let uids = self.pods.rows().map(|row| self.pods.uid[row as usize]);
            uids.filter(is_gone).collect()
        } else {
            let uids = self
                .objects
                .get(&resource)
                .into_iter()
                .flat_map(|it| it.keys().copied());
            uids.filter(is_gone).collect()
        };
        for uid in gone {
            self.remove(resource, uid, documents);
        }
    }
}

fn is_newer(version: u64, known: u64) -> bool {
    version == 0 || version > known
}

/// The symbols of a batch's dictionaries: each text is looked up once and not once a pod.
struct SharedTexts([Vec<Symbol>; 8]);

impl SharedTexts {
    fn intern(columns: &Columns<'_>, texts: &mut Interner) -> Self {
        Self(columns.dictionaries().map(|column| {
            let values = column.values().as_string::<i32>();
            // Rows without pods leave the columns of pods empty.
            values
                .iter()
                .flatten()
                .map(|text| texts.intern(text))
                .collect()
        }))
    }

    fn text(&self, index: usize, column: &Dictionary, row: usize) -> Symbol {
        self.0[index][column.keys().value(row) as usize]
    }

    fn pod<'a>(&self, columns: &Columns<'a>, row: usize) -> Pod<'a> {
        let text = |index, column| self.text(index, column, row);
        Pod {
            uid: columns.uid_of(row),
            name: columns.name.value(row),
            node: text(1, columns.node),
            class: Class {
                namespace: text(0, columns.namespace),
                owner: text(2, columns.owner),
                revision: text(3, columns.revision),
                labels: text(4, columns.labels),
                annotations: text(5, columns.annotations),
                spec: text(6, columns.spec),
                status: text(7, columns.status),
            },
            created_s: columns.created_s.value(row),
            ready_since_s: columns.ready_since_s.value(row),
            restarts: columns.restarts.value(row),
            flags: columns.flags.value(row),
            resource_version: columns.resource_version.value(row),
        }
    }
}
