//! Detects forms that draw themselves, directly or through other forms.
//!
//! hayro silently skips such a form. That matters if there is nothing else on the page: the page is not
//! empty, but its text cannot be extracted.

use hayro_interpret::hayro_syntax::object::dict::keys::{RESOURCES, XOBJECT};
use hayro_interpret::hayro_syntax::object::{Dict, ObjRef, Stream};
use hayro_interpret::hayro_syntax::page::Resources;
use std::collections::HashSet;

/// Maximum number and nesting depth of forms to check; hayro does not draw deeper ones either.
const MOST: usize = 1000;
const DEEPEST: usize = 50;

/// The reference of a form, and the objects that it may draw.
type Form<'a> = (ObjRef, Dict<'a>);

/// Searches depth-first for a form that is drawn inside itself.
pub(in crate::pdf) fn draw_themselves(resources: &Resources<'_>) -> bool {
    let mut finished = HashSet::new();
    // The current path: each form with the forms it draws that are still to be checked.
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

/// The forms in a dictionary of objects. A form that is drawn inside itself cannot be opened, because hayro
/// refuses to follow its reference, but the reference exists.
fn forms<'a>(objects: &Dict<'a>) -> Vec<Form<'a>> {
    let drawn = |name: &[u8]| {
        let form: Stream<'a> = objects.get(name)?;
        form.dict().get::<Dict<'a>>(RESOURCES)?.get::<Dict<'a>>(XOBJECT)
    };
    let names = objects.keys().take(MOST);
    names.filter_map(|name| Some((objects.get_ref(&*name)?, drawn(&name).unwrap_or_default()))).collect()
}
