//! Pairing as an algorithm on numbers: the largest matching, and the cheapest assignment. No table is known here.

use std::collections::VecDeque;

/// No partner, or no distance.
const NONE: usize = usize::MAX;

/// A largest matching in a bipartite graph: for each row the column that it is matched with.
///
/// `edges[row]` are the columns that a row may be matched with; `seed` is a matching to start from, whose rows and
/// columns stay matched, though not always with each other. Hopcroft and Karp, *An n^5/2 algorithm for maximum matchings
/// in bipartite graphs*, 1973.
pub(super) fn largest_matching(
    edges: &[Vec<usize>],
    columns: usize,
    seed: &[(usize, usize)],
) -> Vec<Option<usize>> {
    let mut graph = Matching { edges, of_row: vec![NONE; edges.len()], of_column: vec![NONE; columns] };
    for (row, column) in seed {
        graph.set(*row, *column);
    }
    while let Some(mut layers) = graph.layers() {
        let mut next = vec![0; edges.len()];
        for row in 0..edges.len() {
            if graph.of_row.get(row) == Some(&NONE) {
                graph.augment(row, &mut layers, &mut next);
            }
        }
    }
    graph.of_row.into_iter().map(|column| (column != NONE).then_some(column)).collect()
}

struct Matching<'e> {
    edges: &'e [Vec<usize>],
    of_row: Vec<usize>,
    of_column: Vec<usize>,
}

impl Matching<'_> {
    fn set(&mut self, row: usize, column: usize) {
        if let (Some(one), Some(two)) = (self.of_row.get_mut(row), self.of_column.get_mut(column)) {
            *one = column;
            *two = row;
        }
    }

    fn row_of(&self, column: usize) -> usize {
        self.of_column.get(column).copied().unwrap_or(NONE)
    }

    fn edges(&self, row: usize) -> &[usize] {
        self.edges.get(row).map_or(&[], Vec::as_slice)
    }

    /// How many steps each row is away from an unmatched one; `None` when no unmatched column can be reached.
    fn layers(&self) -> Option<Vec<usize>> {
        let mut layers = vec![NONE; self.edges.len()];
        let mut waiting = VecDeque::new();
        for (row, layer) in layers.iter_mut().enumerate() {
            if self.of_row.get(row) == Some(&NONE) {
                *layer = 0;
                waiting.push_back(row);
            }
        }
        let mut reached = false;
        while let Some(row) = waiting.pop_front() {
            let here = layers.get(row).copied().unwrap_or(NONE);
            for column in self.edges(row) {
                match self.row_of(*column) {
                    NONE => reached = true,
                    other => {
                        if let Some(layer) = layers.get_mut(other).filter(|layer| **layer == NONE) {
                            *layer = here + 1;
                            waiting.push_back(other);
                        }
                    }
                }
            }
        }
        reached.then_some(layers)
    }

    /// Looks for a path from an unmatched row to an unmatched column along the layers, and flips it.
    fn augment(&mut self, start: usize, layers: &mut [usize], next: &mut [usize]) {
        // Rows of the path, each with the column through which it goes on.
        let mut path: Vec<(usize, usize)> = vec![(start, NONE)];
        while let Some((row, _)) = path.last().copied() {
            let Some(at) = next.get_mut(row) else { return };
            let Some(column) = self.edges.get(row).and_then(|edges| edges.get(*at)).copied() else {
                // A dead end: no other path of this round goes through it.
                if let Some(layer) = layers.get_mut(row) {
                    *layer = NONE;
                }
                path.pop();
                continue;
            };
            *at += 1;
            if let Some(last) = path.last_mut() {
                last.1 = column;
            }
            let other = self.row_of(column);
            if other == NONE {
                for (row, column) in path {
                    self.set(row, column);
                }
                return;
            }
            let here = layers.get(row).copied().unwrap_or(NONE);
            if here != NONE && layers.get(other) == Some(&(here + 1)) {
                path.push((other, NONE));
            }
        }
    }
}

/// The cheapest assignment of every row to a column of its own; there must be at least as many columns as rows.
///
/// `cost(row, column)` is asked once for each pair in each round. Kuhn–Munkres with potentials, O(rows² · columns).
pub(super) fn cheapest_assignment(rows: usize, columns: usize, cost: &[i128]) -> Vec<usize> {
    // Row and column 0 stand for "none", as in the usual formulation.
    let mut row_potential = vec![0_i128; rows + 1];
    let mut column_potential = vec![0_i128; columns + 1];
    let mut row_of = vec![0_usize; columns + 1];
    let mut came_from = vec![0_usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![i128::MAX; columns + 1];
        let mut used = vec![false; columns + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let at = row_of[column];
            let (mut step, mut nearest) = (i128::MAX, 0);
            for other in 1..=columns {
                if used[other] {
                    continue;
                }
                let reduced =
                    cost[(at - 1) * columns + other - 1] - row_potential[at] - column_potential[other];
                if reduced < slack[other] {
                    slack[other] = reduced;
                    came_from[other] = column;
                }
                if slack[other] < step {
                    step = slack[other];
                    nearest = other;
                }
            }
            for other in 0..=columns {
                if used[other] {
                    row_potential[row_of[other]] += step;
                    column_potential[other] -= step;
                } else if slack[other] != i128::MAX {
                    slack[other] -= step;
                }
            }
            column = nearest;
        }
        while column != 0 {
            let before = came_from[column];
            row_of[column] = row_of[before];
            column = before;
        }
    }
    let mut assigned = vec![0; rows];
    for (column, row) in row_of.into_iter().enumerate().skip(1).filter(|(_, row)| *row != 0) {
        assigned[row - 1] = column - 1;
    }
    assigned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The largest matching and the cheapest assignment by trying everything.
    fn tried(
        row: usize,
        taken: &mut Vec<bool>,
        value: &dyn Fn(usize, usize) -> Option<i128>,
        skip: Option<i128>,
        rows: usize,
    ) -> Option<i128> {
        if row == rows {
            return Some(0);
        }
        let mut best = skip.and_then(|skip| Some(skip + tried(row + 1, taken, value, Some(skip), rows)?));
        for column in 0..taken.len() {
            if taken[column] {
                continue;
            }
            if let Some(cost) = value(row, column) {
                taken[column] = true;
                if let Some(rest) = tried(row + 1, taken, value, skip, rows) {
                    best = Some(best.map_or(cost + rest, |best| best.min(cost + rest)));
                }
                taken[column] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_matching_is_as_large_as_any(edges in proptest::collection::vec(proptest::collection::btree_set(0..6_usize, 0..4), 0..7)) {
            let edges: Vec<Vec<usize>> = edges.into_iter().map(|row| row.into_iter().collect()).collect();
            let found = largest_matching(&edges, 6, &[]);
            let mut used: Vec<_> = found.iter().flatten().copied().collect();
            let size = used.len();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), size);
            for (row, column) in found.iter().enumerate().filter_map(|(row, column)| Some((row, (*column)?))) {
                prop_assert!(edges[row].contains(&column));
            }
            let unmatched = tried(0, &mut vec![false; 6], &|row, column| edges[row].contains(&column).then_some(0), Some(1), edges.len());
            prop_assert_eq!(unmatched, Some(i128::try_from(edges.len() - size).unwrap()));
            // From whatever seed, the size is the same.
            let seed: Vec<_> = edges.iter().enumerate().find_map(|(row, columns)| Some((row, *columns.last()?))).into_iter().collect();
            let seeded = largest_matching(&edges, 6, &seed);
            prop_assert_eq!(seeded.iter().flatten().count(), size);
        }

        #[test]
        fn the_assignment_is_as_cheap_as_any(rows in 0..5_usize, cost in proptest::collection::vec(0..20_i128, 25)) {
            let assigned = cheapest_assignment(rows, 5, &cost);
            let total: i128 = assigned.iter().enumerate().map(|(row, column)| cost[row * 5 + column]).sum();
            let best = tried(0, &mut vec![false; 5], &|row, column| Some(cost[row * 5 + column]), None, rows);
            prop_assert_eq!(Some(total), best);
        }
    }
}
