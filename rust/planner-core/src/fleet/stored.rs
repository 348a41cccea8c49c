//! A fleet without what is gone, and its columns written and read one after the other.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    Archive, Class, Classes, Cluster, Fleet, Interner, List, Object, PodRow, Pods, Span, Symbol,
};
use crate::{
    error::CodecError,
    resource::Resource,
    snapshot::blocks::{Reader, Writer},
};

impl Fleet {
    /// The same fleet without pods that are gone and texts that nobody uses any more, packed, its
    /// rows by owner: pods of one owner share most texts, so that together they compress, and
    /// whoever reads the fleet finds them beside each other.
    #[must_use]
    pub fn compact(&self) -> Self {
        self.texts.open();
        let mut fleet = Self {
            position: self.position,
            now_ms: self.now_ms,
            ..Self::default()
        };
        let mut symbols = vec![None; self.texts.len()];
        symbols[0] = Some(Symbol::default());
        for (name, cluster) in &self.clusters {
            let texts = &mut fleet.texts;
            let mut symbol = |old: Symbol| {
                let known = &mut symbols[old.0 as usize];
                *known.get_or_insert_with(|| texts.push_new(self.texts.text(old)))
            };
            let compact = Cluster {
                pods: cluster.pods.compact(&self.texts, &mut symbol),
                objects: map_objects(&cluster.objects, |object| Object {
                    namespace: symbol(object.namespace),
                    name: symbol(object.name),
                    ..object
                }),
                lists: compact_lists(cluster),
                ..Cluster::default()
            };
            fleet.clusters.insert(name.clone(), compact);
        }
        // Packing documents anew takes longer than everything else.
        fleet.documents = self.documents.clone();
        fleet.pack();
        fleet
    }

    /// Documents anew, without those that were forgotten.
    pub(super) fn drop_forgotten(&mut self) {
        let mut kept = Archive::default();
        for cluster in self.clusters.values_mut() {
            cluster.objects = map_objects(&cluster.objects, |object| Object {
                document: kept.push(self.documents.text(object.document)),
                ..object
            });
        }
        self.documents = kept;
    }

    pub(crate) fn store(&self, writer: &mut Writer) {
        writer.numbers([self.position].into_iter());
        writer.numbers([self.now_ms].into_iter());
        self.texts.store(writer);
        self.documents.store(writer);
        writer.numbers([self.clusters.len() as u32].into_iter());
        for (name, cluster) in &self.clusters {
            writer.bytes(name.as_bytes().to_vec());
            cluster.pods.store(writer);
            store_objects(&cluster.objects, writer);
            store_lists(&cluster.lists, writer);
        }
    }

    pub(crate) fn load(reader: &mut Reader) -> Result<Self, CodecError> {
        let mut fleet = Self {
            position: reader.number()?,
            now_ms: reader.number()?,
            texts: Interner::load(reader)?,
            documents: Archive::load(reader)?,
            ..Self::default()
        };
        for _ in 0..reader.number::<u32>()? {
            let name = reader.text()?;
            let cluster = Cluster {
                pods: Pods::load(reader)?,
                objects: load_objects(reader)?,
                lists: load_lists(reader)?,
                ..Cluster::default()
            };
            fleet.clusters.insert(name.into(), cluster);
        }
        Ok(fleet)
    }
}

fn map_objects(
    of_cluster: &BTreeMap<Resource, BTreeMap<u128, Object>>,
    mut map: impl FnMut(Object) -> Object,
) -> BTreeMap<Resource, BTreeMap<u128, Object>> {
    let each = of_cluster.iter().map(|(resource, objects)| {
        let objects = objects.iter().map(|(uid, object)| (*uid, map(*object)));
        (*resource, objects.collect())
    });
    each.collect()
}

/// Of what a list has mentioned only what is still there makes a difference.
fn compact_lists(cluster: &Cluster) -> BTreeMap<Resource, List> {
    let mut lists = BTreeMap::new();
    for (resource, list) in &cluster.lists {
        let mut compact = List {
            resource_version: list.resource_version,
            ..List::default()
        };
        let is_mentioned = |uid: &u128| list.mentioned.contains(uid);
        if *resource == Resource::Pods {
            let uids = cluster
                .pods
                .rows()
                .map(|row| cluster.pods.uid[row as usize]);
            compact.mentioned.extend(uids.filter(is_mentioned));
        } else {
            let uids = cluster
                .objects
                .get(resource)
                .into_iter()
                .flat_map(BTreeMap::keys);
            compact.mentioned.extend(uids.copied().filter(is_mentioned));
        }
        lists.insert(*resource, compact);
    }
    lists
}

impl Pods {
    /// Those that exist, by owner and uid, over the symbols of another interner.
    fn compact(&self, texts: &Interner, mut symbol: impl FnMut(Symbol) -> Symbol) -> Self {
        let rows = self.rows_by_owner(texts);
        let mut names = String::with_capacity(self.names.len());
        let name_end = rows.iter().map(|row| {
            names.push_str(self.name(*row));
            names.len() as u32
        });
        Self {
            live: vec![true; rows.len()],
            uid: of_rows(&self.uid, &rows),
            name_end: name_end.collect(),
            node: rows
                .iter()
                .map(|row| symbol(self.node[*row as usize]))
                .collect(),
            classes: self.classes.compact(&rows, symbol),
            created_s: of_rows(&self.created_s, &rows),
            ready_since_s: of_rows(&self.ready_since_s, &rows),
            restarts: of_rows(&self.restarts, &rows),
            flags: of_rows(&self.flags, &rows),
            resource_version: of_rows(&self.resource_version, &rows),
            names,
        }
    }

    fn rows_by_owner(&self, texts: &Interner) -> Vec<PodRow> {
        let classes = self.classes.all();
        let owner = |class: &u32| classes[*class as usize].owner;
        let mut order: Vec<u32> = (0..classes.len() as u32).collect();
        order.par_sort_by_key(|class| texts.text(owner(class)));
        let mut places = vec![0_u32; classes.len()];
        for (place, of_owner) in (0..).zip(order.chunk_by(|a, b| owner(a) == owner(b))) {
            for class in of_owner {
                places[*class as usize] = place;
            }
        }
        let mut rows: Vec<_> = self.rows().collect();
        let numbers = self.classes.numbers();
        rows.par_sort_unstable_by_key(|row| {
            let row = *row as usize;
            (places[numbers[row] as usize], self.uid[row])
        });
        rows
    }

    /// Every row lives: a fleet is compacted before it is stored.
    fn store(&self, writer: &mut Writer) {
        writer.numbers(self.uid.iter().copied());
        writer.numbers(self.name_end.iter().copied());
        writer.bytes(self.names.clone().into_bytes());
        writer.numbers(self.node.iter().map(|node| node.0));
        self.classes.store(writer);
        writer.numbers(self.created_s.iter().copied());
        writer.numbers(self.ready_since_s.iter().copied());
        writer.numbers(self.restarts.iter().copied());
        writer.numbers(self.flags.iter().copied());
        writer.numbers(self.resource_version.iter().copied());
    }

    fn load(reader: &mut Reader) -> Result<Self, CodecError> {
        let uid: Vec<u128> = reader.numbers()?;
        Ok(Self {
            live: vec![true; uid.len()],
            uid,
            name_end: reader.numbers()?,
            names: reader.text()?,
            node: reader.numbers()?.into_iter().map(Symbol).collect(),
            classes: Classes::load(reader)?,
            created_s: reader.numbers()?,
            ready_since_s: reader.numbers()?,
            restarts: reader.numbers()?,
            flags: reader.numbers()?,
            resource_version: reader.numbers()?,
        })
    }
}

fn of_rows<T: Copy + Send + Sync>(column: &[T], rows: &[PodRow]) -> Vec<T> {
    let rows = rows.par_iter();
    rows.map(|row| column[*row as usize]).collect()
}

impl Classes {
    fn store(&self, writer: &mut Writer) {
        writer.numbers(self.numbers().iter().copied());
        let texts = self.all().iter().flat_map(Class::texts);
        writer.numbers(texts.map(|text| text.0));
    }

    fn load(reader: &mut Reader) -> Result<Self, CodecError> {
        let numbers = reader.numbers()?;
        let texts: Vec<Symbol> = reader.numbers()?.into_iter().map(Symbol).collect();
        let (all, _) = texts.as_chunks::<{ Class::TEXTS }>();
        Ok(Self::new(
            numbers,
            all.iter().map(Class::of_texts).collect(),
        ))
    }
}

fn store_objects(of_cluster: &BTreeMap<Resource, BTreeMap<u128, Object>>, writer: &mut Writer) {
    writer.numbers(of_cluster.keys().map(|resource| resource.code()));
    for objects in of_cluster.values() {
        let each = || objects.values();
        writer.numbers(objects.keys().copied());
        writer.numbers(each().map(|it| it.namespace.0));
        writer.numbers(each().map(|it| it.name.0));
        writer.numbers(each().map(|it| it.resource_version));
        Span::store_all(each().map(|it| it.document), writer);
    }
}

fn load_objects(
    reader: &mut Reader,
) -> Result<BTreeMap<Resource, BTreeMap<u128, Object>>, CodecError> {
    let mut of_cluster = BTreeMap::new();
    for code in reader.numbers()? {
        let uids: Vec<u128> = reader.numbers()?;
        let namespaces: Vec<u32> = reader.numbers()?;
        let names: Vec<u32> = reader.numbers()?;
        let versions: Vec<u64> = reader.numbers()?;
        let spans = Span::load_all(reader)?;
        let objects = uids.into_iter().enumerate().map(|(at, uid)| {
            let object = Object {
                namespace: Symbol(namespaces[at]),
                name: Symbol(names[at]),
                resource_version: versions[at],
                document: spans[at],
            };
            (uid, object)
        });
        of_cluster.insert(resource(code)?, objects.collect());
    }
    Ok(of_cluster)
}

fn store_lists(lists: &BTreeMap<Resource, List>, writer: &mut Writer) {
    writer.numbers(lists.keys().map(|resource| resource.code()));
    for list in lists.values() {
        writer.numbers([list.resource_version].into_iter());
        let mut mentioned: Vec<u128> = list.mentioned.iter().copied().collect();
        mentioned.sort_unstable();
        writer.numbers(mentioned.into_iter());
    }
}

fn load_lists(reader: &mut Reader) -> Result<BTreeMap<Resource, List>, CodecError> {
    let mut lists = BTreeMap::new();
    for code in reader.numbers()? {
        let list = List {
            resource_version: reader.number()?,
            mentioned: reader.numbers()?.into_iter().collect(),
        };
        lists.insert(resource(code)?, list);
    }
    Ok(lists)
}

fn resource(code: u8) -> Result<Resource, CodecError> {
    Resource::from_code(code).ok_or_else(|| {
        CodecError(format!(
            "no resource has the code {code}; fold the log anew"
        ))
    })
}
