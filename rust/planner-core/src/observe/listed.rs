//! A list put together from its pages, each object in it once.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::{envelope::Envelope, reader::Thing, text::Fault};
use crate::{error::InputError, fleet::Symbol};

/// One list, of one or several pages.
#[derive(Debug, Default)]
pub struct Listed {
    /// The newest of its pages.
    pub resource_version: u64,
    /// What it mentions, in the order of the input.
    pub things: Vec<Thing>,
    uids: HashSet<u128, FxBuildHasher>,
    names: HashSet<(Symbol, Box<str>), FxBuildHasher>,
    is_ended: bool,
    /// Where a page was that is not the last.
    page: Option<(String, usize)>,
}

impl Listed {
    /// Begins a page, the document at `offset` of `source`.
    pub fn begin_page(
        &mut self,
        source: &str,
        offset: usize,
        envelope: &Envelope<'_>,
    ) -> Result<(), Fault> {
        let version = envelope
            .list_version()
            .map_err(|it| Fault::new(offset, it))?;
        self.resource_version = self.resource_version.max(version);
        if envelope.is_last_page() {
            self.is_ended = true;
        } else {
            self.page = Some((source.to_owned(), offset));
        }
        Ok(())
    }

    /// Objects that pages leave out must not be taken for gone.
    pub fn check_ended(&self) -> Result<(), InputError> {
        match &self.page {
            Some((source, offset)) if !self.is_ended => Err(InputError {
                source: source.clone(),
                offset: *offset,
                message: "the last page of this list is missing; \
                          add every page, or import it as partial"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether an object may be in the list besides those that are.
    pub fn check(&mut self, uid: u128, namespace: Symbol, name: &str) -> Result<(), &'static str> {
        if !self.uids.insert(uid) {
            return Err("is in the list twice; import each list once");
        }
        if !self.names.insert((namespace, name.into())) {
            return Err("is in the list with two uids; import one recording of the list at a time");
        }
        Ok(())
    }
}
