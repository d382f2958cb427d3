//! Whether the forms of a page draw themselves, straight or through others.
//!
//! hayro leaves such a form out without a word. That matters where nothing else is on the page: its text
//! is not missing, it cannot be had.

use hayro_interpret::hayro_syntax::object::dict::keys::{RESOURCES, XOBJECT};
use hayro_interpret::hayro_syntax::object::{Dict, ObjRef, Stream};
use hayro_interpret::hayro_syntax::page::Resources;
use std::collections::HashSet;

/// Most forms that are looked at, and how deep: deeper ones hayro does not draw either.
const MOST: usize = 1000;
const DEEPEST: usize = 50;

/// A form by its reference, and the objects that it may draw.
type Form<'a> = (ObjRef, Dict<'a>);

/// Searches depth first for a form that is drawn within itself.
pub(in crate::pdf) fn draw_themselves(resources: &Resources<'_>) -> bool {
    let mut finished = HashSet::new();
    // The way down: each form with those it draws that are still to be looked at.
    let mut open: Vec<(Option<ObjRef>, Vec<Form<'_>>)> = vec![(None, forms(&resources.x_objects))];
    while let Some((form, rest)) = open.last_mut() {
        let Some((next, objects)) = rest.pop() else {
            finished.extend(*form);
            open.pop();
            continue;
        };
        if open.iter().any(|(form, _)| *form == Some(next)) || open.len() > DEEPEST {
            return true;
        }
        if finished.len() < MOST && !finished.contains(&next) {
            open.push((Some(next), forms(&objects)));
        }
    }
    false
}

/// What a dictionary of objects may draw. A form that is drawn within itself cannot be looked into (hayro
/// refuses to follow its reference), but it has one.
fn forms<'a>(objects: &Dict<'a>) -> Vec<Form<'a>> {
    let drawn = |name: &[u8]| {
        let form: Stream<'a> = objects.get(name)?;
        form.dict().get::<Dict<'a>>(RESOURCES)?.get::<Dict<'a>>(XOBJECT)
    };
    let names = objects.keys().take(MOST);
    names.filter_map(|name| Some((objects.get_ref(&*name)?, drawn(&name).unwrap_or_default()))).collect()
}
