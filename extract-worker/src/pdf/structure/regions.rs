//! Boxes around text that are not tables: side boxes, captions in frames, coloured panels.
//!
//! The text of a box is read together, cell by cell.

use super::blocks::Place;

/// The boxes of a page that contain text.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// For each segment the number of its cell; 0 outside of boxes.
    cells: Vec<u32>,
    /// For each cell, numbered from 1, the index of its box.
    owners: Vec<usize>,
    places: Vec<Place>,
}

/// A box and the segments of its cells, row by row.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) place: Place,
    pub(super) cells: Vec<Vec<usize>>,
}

impl Regions {
    /// If boxes are nested, the innermost counts.
    pub(super) fn new(segments: usize, mut regions: Vec<Region>) -> Self {
        let area = |place: &Place| place.width() * place.height();
        regions.sort_by(|a, b| area(&b.place).total_cmp(&area(&a.place)));
        let mut all = Self { cells: vec![0; segments], ..Self::default() };
        for region in regions {
            all.places.push(region.place);
            for cell in region.cells {
                all.owners.push(all.places.len() - 1);
                let number = u32::try_from(all.owners.len()).unwrap_or(0);
                for segment in cell {
                    all.cells[segment] = number;
                }
            }
        }
        all
    }

    /// The cell of a segment; 0 outside of boxes.
    pub(super) fn cell(&self, segment: usize) -> u32 {
        self.cells.get(segment).copied().unwrap_or(0)
    }

    /// The index of the box that contains a cell.
    pub(super) fn owner(&self, cell: u32) -> Option<usize> {
        self.owners.get((cell as usize).checked_sub(1)?).copied()
    }

    /// The place of a box.
    pub(super) fn place(&self, owner: usize) -> Option<&Place> {
        self.places.get(owner)
    }

    /// Segments in reading order, with those of a box together at the position of the first.
    pub(super) fn gathered(&self, ordered: &[usize]) -> Vec<usize> {
        let owner = |segment: &usize| self.owner(self.cell(*segment));
        let mut boxed: Vec<Vec<usize>> = vec![Vec::new(); self.places.len()];
        for segment in ordered {
            if let Some(owner) = owner(segment) {
                boxed[owner].push(*segment);
            }
        }
        for segments in &mut boxed {
            segments.sort_by_key(|segment| self.cell(*segment));
        }
        let mut gathered = Vec::with_capacity(ordered.len());
        for segment in ordered {
            match owner(segment) {
                Some(owner) => gathered.append(&mut boxed[owner]),
                None => gathered.push(*segment),
            }
        }
        gathered
    }
}
