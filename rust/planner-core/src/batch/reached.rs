//! How far each resource of a cluster is known after a batch: where a watch may go on.

use std::collections::BTreeMap;

use super::{Batch, Event};
use crate::resource::Resource;

/// How far a resource is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Everything up to this version is known; 0 while a list is open, which says nothing yet.
    pub resource_version: u64,
    /// Whether the batch itself shows that no list is open. Otherwise that depends on the batches
    /// before it: objects may be those of a list or of a watch.
    pub is_certain: bool,
}

impl Batch {
    /// How far each resource that it mentions is known after this batch.
    ///
    /// Only for batches that a live cluster gave, in order: recorded objects have versions that
    /// nobody watched up to.
    #[must_use]
    pub fn reached(&self) -> BTreeMap<Resource, Reached> {
        let columns = self.columns();
        let mut reached: BTreeMap<Resource, Reached> = BTreeMap::new();
        for row in 0..self.len() {
            let code = columns.resource.value(row);
            let resource = Resource::from_code(code).expect("batches are checked");
            let event = Event::from_code(columns.event.value(row)).expect("batches are checked");
            let version = columns.resource_version.value(row);
            let before = reached.get(&resource).copied();
            let is_open = before.is_some_and(|it| it.is_certain && it.resource_version == 0);
            let now = match event {
                Event::ListBegun => (0, true),
                // Bookmarks come from watches only, and so do objects that are gone.
                Event::ListCompleted | Event::TimePassed | Event::Gone => (version, true),
                Event::Observed if is_open => (0, true),
                Event::Observed => (version, before.is_some_and(|it| it.is_certain)),
            };
            let (resource_version, is_certain) = now;
            reached.insert(
                resource,
                Reached {
                    resource_version,
                    is_certain,
                },
            );
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::Reached;
    use crate::{
        batch::{BatchBuilder, ObjectRow},
        fleet::{Interner, Symbol},
        resource::Resource,
    };

    fn object(version: u64, document: Option<&str>) -> ObjectRow<'_> {
        ObjectRow {
            uid: 1,
            resource_version: version,
            namespace: Symbol::default(),
            name: "node-1",
            document,
        }
    }

    fn reached(rows: impl Fn(&mut BatchBuilder<'_>)) -> (u64, bool) {
        let texts = Interner::default();
        let mut builder = BatchBuilder::new(&texts);
        rows(&mut builder);
        let Reached {
            resource_version,
            is_certain,
        } = builder.finish().reached()[&Resource::Nodes];
        (resource_version, is_certain)
    }

    #[test]
    fn a_watch_goes_on_after_the_last_event() {
        let seen = object(12, Some("{}"));
        assert_eq!(
            reached(|it| {
                it.list_begun(Resource::Nodes, 0, 9);
                it.list_completed(Resource::Nodes, 0, 9);
                it.object(Resource::Nodes, 0, &seen);
            }),
            (12, true)
        );
        assert_eq!(
            reached(|it| it.time_passed(Resource::Nodes, 0, 14)),
            (14, true)
        );
        assert_eq!(
            reached(|it| it.object(Resource::Nodes, 0, &object(15, None))),
            (15, true)
        );
    }

    #[test]
    fn objects_of_an_open_list_say_nothing() {
        let seen = object(3, Some("{}"));
        assert_eq!(
            reached(|it| {
                it.time_passed(Resource::Nodes, 0, 14);
                it.list_begun(Resource::Nodes, 0, 20);
                it.object(Resource::Nodes, 0, &seen);
            }),
            (0, true)
        );
    }

    #[test]
    fn objects_alone_leave_open_what_they_are_of() {
        assert_eq!(
            reached(|it| it.object(Resource::Nodes, 0, &object(3, Some("{}")))),
            (3, false)
        );
    }
}
