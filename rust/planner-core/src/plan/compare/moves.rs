//! The moves of two plans as columns whose texts are numbers of one list.

use arrow_array::{
    Array, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, cast::AsArray,
    types::UInt32Type,
};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::header::Header;
use crate::fleet::{Interner, Symbol};

/// Columns that are compared, in the order of [`Row::texts`].
const TEXTS: [&str; 8] = [
    "cluster",
    "namespace",
    "workload_kind",
    "workload",
    "stage",
    "kind",
    "containers",
    "because",
];
const CLUSTER: usize = 0;
const NAMESPACE: usize = 1;

/// The moves of both plans.
pub(super) struct Tables<'t> {
    pub texts: Interner,
    pub sides: [Table<'t>; 2],
}

/// The moves of one plan, and why pods of it cannot be moved.
pub(super) struct Table<'t> {
    waves: &'t [u32],
    uids: &'t FixedSizeBinaryArray,
    pods: &'t StringArray,
    /// For each column its keys, and the symbol of each key.
    texts: [(&'t UInt32Array, Vec<Symbol>); TEXTS.len()],
    /// By cluster, namespace and name of the pod.
    unmovable: HashMap<(Symbol, Symbol, &'t str), Symbol, FxBuildHasher>,
}

/// One move; its texts as symbols.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub wave: u32,
    pub texts: [Symbol; TEXTS.len()],
}

impl Row {
    /// Cluster, namespace, kind and name of the workload.
    pub fn place(&self) -> [Symbol; 4] {
        let [cluster, namespace, kind, name, ..] = self.texts;
        [cluster, namespace, kind, name]
    }

    pub fn stage(&self) -> Symbol {
        self.texts[4]
    }

    pub fn kind(&self) -> Symbol {
        self.texts[5]
    }

    /// The images that the pod gets.
    pub fn containers(&self) -> Symbol {
        self.texts[6]
    }

    pub fn because(&self) -> Symbol {
        self.texts[7]
    }
}

impl<'t> Tables<'t> {
    /// Reads both tables, whose columns were checked when they were made.
    pub fn of(tables: [&'t RecordBatch; 2], headers: [&'t Header<'_>; 2]) -> Self {
        let mut texts = Interner::default();
        let [one, other] = tables;
        let [before, after] = headers;
        let sides = [(one, before), (other, after)];
        let sides = sides.map(|(table, header)| Table::of(table, header, &mut texts));
        Self { texts, sides }
    }
}

impl<'t> Table<'t> {
    fn of(table: &'t RecordBatch, header: &'t Header<'_>, interner: &mut Interner) -> Self {
        let column = |name: &str| {
            table
                .column_by_name(name)
                .expect("checked when it was made")
        };
        let texts = TEXTS.map(|name| {
            let column = column(name).as_dictionary::<UInt32Type>();
            let values = column.values().as_string::<i32>().iter();
            let symbols = values.map(|text| interner.intern(text.unwrap_or("")));
            (column.keys(), symbols.collect())
        });
        let reasons = header.unmovable.iter().map(|each| {
            let place = [&each.cluster, &each.namespace].map(|text| interner.intern(text));
            let reason = interner.intern(&format!("unmovable:{}", each.reason));
            ((place[0], place[1], &*each.pod), reason)
        });
        Self {
            unmovable: reasons.collect(),
            waves: column("wave").as_primitive::<UInt32Type>().values(),
            uids: column("uid").as_fixed_size_binary(),
            pods: column("pod").as_string(),
            texts,
        }
    }

    pub fn len(&self) -> usize {
        self.waves.len()
    }

    fn text(&self, column: usize, row: usize) -> Symbol {
        let (keys, symbols) = &self.texts[column];
        if keys.is_valid(row) {
            symbols[keys.value(row) as usize]
        } else {
            Symbol::default()
        }
    }

    pub fn row(&self, row: usize) -> Row {
        Row {
            wave: self.waves[row],
            texts: std::array::from_fn(|column| self.text(column, row)),
        }
    }

    /// The pod of a move: its cluster and its uid.
    pub fn pod(&self, row: usize) -> (Symbol, u128) {
        let uid: [u8; 16] = self.uids.value(row).try_into().expect("sixteen bytes");
        (self.text(CLUSTER, row), u128::from_be_bytes(uid))
    }

    /// Why this plan cannot move the pod of row `row` of the table `of`; empty when it says nothing.
    pub fn unmovable(&self, of: &Table<'_>, row: usize) -> Symbol {
        if self.unmovable.is_empty() {
            return Symbol::default();
        }
        let place = (of.text(CLUSTER, row), of.text(NAMESPACE, row));
        let pod = (place.0, place.1, of.pods.value(row));
        self.unmovable.get(&pod).copied().unwrap_or_default()
    }
}
