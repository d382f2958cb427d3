//! Name trees and number trees: sorted maps, distributed over nodes.

use hayro_interpret::hayro_syntax::object::{
    Array, Dict, MaybeRef, Number, Object, ObjectIdentifier, String as PdfString,
};
use hayro_interpret::hayro_syntax::xref::XRef;
use std::collections::HashSet;

/// Maximum number of nodes and entries; a file with 10,000 pages has far fewer.
const MOST_NODES: usize = 10_000;
const MOST_ENTRIES: usize = 100_000;

/// A value in a tree, usually a reference.
pub(super) struct Value<'a>(MaybeRef<Object<'a>>);

impl<'a> Value<'a> {
    /// The value or its referent, if it is a `T`.
    pub(super) fn resolve<T: TryFrom<Object<'a>>>(&self, xref: &'a XRef) -> Option<T> {
        let object = match &self.0 {
            MaybeRef::Ref(reference) => xref.get((*reference).into()),
            MaybeRef::NotRef(object) => Some(object.clone()),
        };
        object?.try_into().ok()
    }
}

/// The object itself, or its referent.
pub(super) fn object<'a>(object: MaybeRef<Object<'a>>, xref: &'a XRef) -> Option<Object<'a>> {
    match object {
        MaybeRef::Ref(reference) => xref.get(reference.into()),
        MaybeRef::NotRef(object) => Some(object),
    }
}

/// The nodes that remain to be read; the next one is last.
pub(super) struct Tree<'a> {
    xref: &'a XRef,
    open: Vec<Dict<'a>>,
    seen: HashSet<ObjectIdentifier>,
}

impl<'a> Tree<'a> {
    fn new(xref: &'a XRef, root: Dict<'a>) -> Self {
        Self { xref, open: vec![root], seen: HashSet::new() }
    }

    /// The entries of a name tree.
    pub(super) fn names(xref: &'a XRef, root: Dict<'a>) -> impl Iterator<Item = (PdfString<'a>, Value<'a>)> {
        let entries = Self::new(xref, root).flat_map(|node| pairs(&node, b"Names")).take(MOST_ENTRIES);
        entries.filter_map(move |(key, value)| Some((object(key, xref)?.into_string()?, value)))
    }

    /// The entries of a number tree.
    pub(super) fn numbers(xref: &'a XRef, root: Dict<'a>) -> impl Iterator<Item = (Number, Value<'a>)> {
        let entries = Self::new(xref, root).flat_map(|node| pairs(&node, b"Nums")).take(MOST_ENTRIES);
        entries.filter_map(move |(key, value)| Some((object(key, xref)?.into_number()?, value)))
    }
}

impl<'a> Iterator for Tree<'a> {
    type Item = Dict<'a>;

    fn next(&mut self) -> Option<Dict<'a>> {
        let node = self.open.pop()?;
        let room = MOST_NODES.saturating_sub(self.seen.len());
        let kids = node.get::<Array<'a>>(b"Kids").map(|kids| kids.raw_iter().take(room).collect::<Vec<_>>());
        for kid in kids.unwrap_or_default().into_iter().rev() {
            let is_new = kid.as_obj_ref().is_some_and(|reference| self.seen.insert(reference.into()));
            let kid = Some(kid).filter(|_| is_new).and_then(|kid| object(kid, self.xref));
            self.open.extend(kid.and_then(Object::into_dict));
        }
        Some(node)
    }
}

/// The keys of a node, each with its value.
fn pairs<'a>(
    node: &Dict<'a>,
    key: &[u8],
) -> impl Iterator<Item = (MaybeRef<Object<'a>>, Value<'a>)> + use<'a> {
    let mut items = node.get::<Array<'a>>(key).map(|items| items.raw_iter());
    std::iter::from_fn(move || {
        let items = items.as_mut()?;
        Some((items.next()?, Value(items.next()?)))
    })
}
