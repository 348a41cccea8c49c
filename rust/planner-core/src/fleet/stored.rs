//! A fleet without what is gone, and its columns written and read one after the other.

use std::collections::BTreeMap;

use super::{Archive, Class, Classes, Cluster, Fleet, Interner, List, Object, Pods, Span, Symbol};
use crate::{
    error::CodecError,
    resource::Resource,
    snapshot::blocks::{Reader, Writer},
};

impl Fleet {
    /// The same fleet without pods that are gone and texts that nobody uses any more, packed, its
    /// rows and symbols in an order that follows from what it holds.
    #[must_use]
    pub fn compact(&self) -> Self {
        self.open();
        let mut symbols: Vec<Option<Symbol>> = vec![None; self.texts.len()];
        let mut fleet = Self {
            position: self.position,
            now_ms: self.now_ms,
            ..Self::default()
        };
        for (name, cluster) in &self.clusters {
            let texts = &mut fleet.texts;
            let mut symbol = |old: Symbol| {
                *symbols[old.0 as usize].get_or_insert_with(|| texts.intern(self.texts.text(old)))
            };
            let pods = self.compact_pods(cluster, &mut symbol);
            let objects = cluster.objects.iter().map(|(resource, objects)| {
                let documents = &mut fleet.documents;
                let of_resource = self.compact_objects(objects, &mut symbol, documents);
                (*resource, of_resource)
            });
            let compact = Cluster {
                objects: objects.collect(),
                lists: compact_lists(cluster),
                pods,
                ..Cluster::default()
            };
            fleet.clusters.insert(name.clone(), compact);
        }
        fleet.shrink();
        fleet.pack();
        fleet
    }

    /// Pods of one owner share most texts: together they compress, and whoever reads the fleet
    /// finds them beside each other.
    fn compact_pods(&self, cluster: &Cluster, mut symbol: impl FnMut(Symbol) -> Symbol) -> Pods {
        let mut rows: Vec<_> = cluster.pods.rows().collect();
        rows.sort_unstable_by_key(|row| {
            let owner = cluster.pods.class(*row).owner;
            (self.texts.text(owner), cluster.pods.uid[*row as usize])
        });
        let mut pods = Pods::default();
        pods.reserve(rows.len(), cluster.pods.names.len());
        for row in rows {
            pods.push(&cluster.pods.get(row).map_texts(&mut symbol));
        }
        pods
    }

    /// Objects that lie beside each other are alike, and so are their documents.
    fn compact_objects(
        &self,
        objects: &BTreeMap<u128, Object>,
        mut symbol: impl FnMut(Symbol) -> Symbol,
        documents: &mut Archive,
    ) -> BTreeMap<u128, Object> {
        let mut objects: Vec<_> = objects.iter().collect();
        let text = |symbol| self.texts.text(symbol);
        objects.sort_by_key(|(uid, it)| (text(it.namespace), text(it.name), **uid));
        let compact = objects.into_iter().map(|(uid, object)| {
            let compact = Object {
                namespace: symbol(object.namespace),
                name: symbol(object.name),
                resource_version: object.resource_version,
                document: documents.push(self.document(object)),
            };
            (*uid, compact)
        });
        compact.collect()
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
