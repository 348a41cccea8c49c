//! The moves of a plan as a table, and as lines of JSON.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array,
    builder::{FixedSizeBinaryBuilder, StringBuilder},
    cast::AsArray,
    types::UInt32Type,
};
use arrow_schema::{DataType, Field, Schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::fleet::Interner;

/// A column of texts of which there are few.
#[derive(Debug, Default)]
struct TextColumn {
    texts: Interner,
    keys: Vec<Option<u32>>,
    /// The last text: moves of one workload follow each other, so it mostly comes again.
    last: (String, Option<u32>),
}

impl TextColumn {
    fn push(&mut self, text: &str) {
        if text != self.last.0 {
            // Symbol 0 is the empty text of the interner: it stands for "none".
            let key = self.texts.intern(text).0;
            self.last.0.clear();
            self.last.0.push_str(text);
            self.last.1 = (key != 0).then_some(key);
        }
        self.keys.push(self.last.1);
    }

    fn finish(self) -> ArrayRef {
        let values: StringArray = (0..self.texts.len())
            .map(|at| Some(self.texts.text(crate::fleet::Symbol(at as u32))))
            .collect();
        let keys = UInt32Array::from(self.keys);
        Arc::new(DictionaryArray::<UInt32Type>::new(keys, Arc::new(values)))
    }
}

/// One move, as it is appended to a [`MovesBuilder`].
#[derive(Clone, Copy, Debug)]
pub struct Move<'a> {
    /// From 1.
    pub wave: u32,
    /// Name of the stage, empty without stages.
    pub stage: &'a str,
    /// Cluster of the pod.
    pub cluster: &'a str,
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// Name of the pod.
    pub pod: &'a str,
    /// Uid of the pod.
    pub uid: u128,
    /// Node of the pod, empty while unassigned.
    pub node: &'a str,
    /// Kind of its workload.
    pub workload_kind: &'a str,
    /// Name of its workload.
    pub workload: &'a str,
    /// `in-place`, `recreate`, `surge`, `evict` or `delete`.
    pub kind: &'a str,
    /// JSON object: image by container.
    pub containers: &'a str,
    /// What held it back from the wave before, empty when nothing did.
    pub because: &'a str,
}

/// Collects moves into a table.
#[derive(Debug)]
pub struct MovesBuilder {
    waves: Vec<u32>,
    pods: StringBuilder,
    uids: FixedSizeBinaryBuilder,
    texts: [TextColumn; 9],
}

/// Names of the text columns, in the order of [`MovesBuilder::push`].
const TEXTS: [&str; 9] = [
    "stage",
    "cluster",
    "namespace",
    "node",
    "workload_kind",
    "workload",
    "kind",
    "containers",
    "because",
];

impl MovesBuilder {
    /// A table that expects this many moves.
    #[must_use]
    pub fn with_capacity(moves: usize) -> Self {
        Self {
            waves: Vec::with_capacity(moves),
            pods: StringBuilder::with_capacity(moves, moves * 24),
            uids: FixedSizeBinaryBuilder::with_capacity(moves, 16),
            texts: Default::default(),
        }
    }

    /// Appends a move.
    pub fn push(&mut self, each: &Move<'_>) {
        self.waves.push(each.wave);
        self.pods.append_value(each.pod);
        self.uids
            .append_value(each.uid.to_be_bytes())
            .expect("sixteen bytes");
        let texts = [
            each.stage,
            each.cluster,
            each.namespace,
            each.node,
            each.workload_kind,
            each.workload,
            each.kind,
            each.containers,
            each.because,
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text);
        }
    }

    /// The table.
    #[must_use]
    pub fn finish(mut self) -> RecordBatch {
        let text = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
        let mut fields = vec![
            Field::new("wave", DataType::UInt32, false),
            Field::new("pod", DataType::Utf8, false),
            Field::new("uid", DataType::FixedSizeBinary(16), false),
        ];
        fields.extend(TEXTS.map(|name| Field::new(name, text.clone(), true)));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(self.waves)),
            Arc::new(self.pods.finish()),
            Arc::new(self.uids.finish()),
        ];
        columns.extend(self.texts.into_iter().map(TextColumn::finish));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .expect("columns of equal length, of the types of the schema")
    }
}

/// Reads the rows of a table of moves.
#[derive(Debug)]
pub struct MovesReader<'t> {
    waves: &'t UInt32Array,
    pods: &'t StringArray,
    uids: &'t FixedSizeBinaryArray,
    texts: Vec<(&'t UInt32Array, &'t StringArray)>,
}

impl<'t> MovesReader<'t> {
    /// Reads a table; `None` when its columns are not those of a plan.
    #[must_use]
    pub fn new(table: &'t RecordBatch) -> Option<Self> {
        let text = |name: &str| {
            let column = table
                .column_by_name(name)?
                .as_dictionary_opt::<UInt32Type>()?;
            Some((column.keys(), column.values().as_string_opt::<i32>()?))
        };
        Some(Self {
            waves: table
                .column_by_name("wave")?
                .as_primitive_opt::<UInt32Type>()?,
            pods: table.column_by_name("pod")?.as_string_opt::<i32>()?,
            uids: table.column_by_name("uid")?.as_fixed_size_binary_opt()?,
            texts: TEXTS.into_iter().map(text).collect::<Option<_>>()?,
        })
    }

    fn text(&self, column: usize, row: usize) -> &'t str {
        let (keys, values) = self.texts[column];
        if keys.is_valid(row) {
            values.value(keys.value(row) as usize)
        } else {
            ""
        }
    }

    /// One move.
    #[must_use]
    pub fn row(&self, row: usize) -> Move<'t> {
        let uid: [u8; 16] = self.uids.value(row).try_into().expect("sixteen bytes");
        Move {
            wave: self.waves.value(row),
            pod: self.pods.value(row),
            uid: u128::from_be_bytes(uid),
            stage: self.text(0, row),
            cluster: self.text(1, row),
            namespace: self.text(2, row),
            node: self.text(3, row),
            workload_kind: self.text(4, row),
            workload: self.text(5, row),
            kind: self.text(6, row),
            containers: self.text(7, row),
            because: self.text(8, row),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    wave: u32,
    stage: Option<&'a str>,
    cluster: &'a str,
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    node: Option<&'a str>,
    workload: LineWorkload<'a>,
    kind: &'a str,
    containers: &'a RawValue,
    because: Vec<&'a str>,
}

#[derive(Serialize)]
struct LineWorkload<'a> {
    kind: &'a str,
    name: &'a str,
}

/// Appends a move to `out` as one line of JSON.
pub fn write_line(out: &mut Vec<u8>, each: &Move<'_>) {
    let line = Line {
        wave: each.wave,
        stage: (!each.stage.is_empty()).then_some(each.stage),
        cluster: each.cluster,
        namespace: each.namespace,
        pod: each.pod,
        uid: &uid_text(each.uid),
        node: (!each.node.is_empty()).then_some(each.node),
        workload: LineWorkload {
            kind: each.workload_kind,
            name: each.workload,
        },
        kind: each.kind,
        containers: serde_json::from_str(each.containers).expect("written by this crate"),
        because: each
            .because
            .split(", ")
            .filter(|reason| !reason.is_empty())
            .collect(),
    };
    serde_json::to_writer(&mut *out, &line).expect("a vector takes every byte");
    out.push(b'\n');
}

/// A uid as Kubernetes writes it.
#[must_use]
pub fn uid_text(uid: u128) -> String {
    let hex = format!("{uid:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::{Move, MovesBuilder, MovesReader, write_line};

    const MOVE: Move<'_> = Move {
        wave: 7,
        stage: "tenth",
        cluster: "hangzhou",
        namespace: "trade",
        pod: "cart-45q7m",
        uid: 0xd972_b830_5f1e_4691_b704_2efc_b352_bdc2,
        node: "node-0003",
        workload_kind: "CloneSet",
        workload: "cart",
        kind: "in-place",
        containers: r#"{"main":"registry.example.com/cart:1.2.0"}"#,
        because: "budget:pdb/trade/cart",
    };

    #[test]
    fn a_move_is_written_as_the_interface_shows_it() {
        let mut builder = MovesBuilder::with_capacity(1);
        builder.push(&MOVE);
        let table = builder.finish();
        let mut line = Vec::new();
        write_line(&mut line, &MovesReader::new(&table).unwrap().row(0));
        insta::assert_snapshot!(String::from_utf8(line).unwrap(), @r#"{"wave":7,"stage":"tenth","cluster":"hangzhou","namespace":"trade","pod":"cart-45q7m","uid":"d972b830-5f1e-4691-b704-2efcb352bdc2","node":"node-0003","workload":{"kind":"CloneSet","name":"cart"},"kind":"in-place","containers":{"main":"registry.example.com/cart:1.2.0"},"because":["budget:pdb/trade/cart"]}"#);
    }

    #[test]
    fn what_is_not_there_is_null() {
        let mut builder = MovesBuilder::with_capacity(1);
        builder.push(&Move {
            stage: "",
            node: "",
            because: "",
            ..MOVE
        });
        let table = builder.finish();
        let mut line = Vec::new();
        write_line(&mut line, &MovesReader::new(&table).unwrap().row(0));
        let text = String::from_utf8(line).unwrap();
        assert!(
            text.contains(r#""stage":null"#) && text.contains(r#""node":null"#),
            "{text}"
        );
        assert!(text.contains(r#""because":[]"#), "{text}");
    }
}
