//! Places the boxes of a picture in columns, ordered so that few lines cross.
//!
//! A line that passes a column gets a slot of its own there, so that it runs between the boxes and
//! not through them.

/// A box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Its column, from 0.
    pub(super) column: usize,
}

/// A line from one box to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) from: usize,
    /// Where the line begins, below the top of its box.
    pub(super) port: f64,
    pub(super) to: usize,
}

/// The position of everything.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The upper left corner of each box.
    pub(super) boxes: Vec<(f64, f64)>,
    /// The points of each line: its start, the left and right ends of its slots in the columns that
    /// it passes, and its end.
    pub(super) lines: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The gap between columns.
const COLUMN_GAP: f64 = 90.0;
/// The gap between boxes of a column.
const ROW_GAP: f64 = 18.0;
/// The height of a slot for a passing line.
const PASSING: f64 = 8.0;
/// The gap below such a slot.
const PASSING_GAP: f64 = 4.0;
/// How many times the columns are reordered.
const SWEEPS: usize = 6;

struct Placing {
    boxes: Vec<Size>,
    /// Links to boxes of a later column: the box, the offset of the line's start on it, and the
    /// later box.
    links: Vec<(usize, f64, usize)>,
    /// The boxes of each column, from top to bottom.
    columns: Vec<Vec<usize>>,
    tops: Vec<f64>,
}

/// Places boxes. Those of the first column keep their order.
pub(super) fn place(sizes: &[Size], lines: &[Line]) -> Layout {
    let mut placing =
        Placing { boxes: sizes.to_vec(), links: Vec::new(), columns: Vec::new(), tops: Vec::new() };
    let routes: Vec<_> = lines.iter().map(|line| placing.route(line)).collect();
    let count = placing.boxes.iter().map(|size| size.column + 1).max().unwrap_or_default();
    placing.columns = vec![Vec::new(); count];
    for (index, size) in placing.boxes.iter().enumerate() {
        placing.columns[size.column].push(index);
    }
    placing.tops = vec![0.0; placing.boxes.len()];
    (0..count).for_each(|column| placing.stack(column));
    for _ in 0..SWEEPS {
        (1..count).for_each(|column| placing.sort(column, true));
        (1..count.saturating_sub(1)).rev().for_each(|column| placing.sort(column, false));
    }
    (1..count).for_each(|column| placing.align(column));
    let highest = placing.tops.iter().copied().fold(0.0, f64::min);
    placing.tops.iter_mut().for_each(|top| *top -= highest);
    placing.finish(sizes.len(), lines, &routes)
}

impl Placing {
    /// The boxes that a line runs through, with new ones as slots in the columns that it passes.
    fn route(&mut self, line: &Line) -> Vec<usize> {
        let (start, end) = (self.boxes[line.from].column, self.boxes[line.to].column);
        let mut route = vec![line.from];
        for column in start + 1..end {
            route.push(self.boxes.len());
            self.boxes.push(Size { width: 0.0, height: PASSING, column });
        }
        route.push(line.to);
        if start < end {
            for (position, pair) in route.windows(2).enumerate() {
                let port = if position == 0 { line.port } else { PASSING / 2.0 };
                self.links.push((pair[0], port, pair[1]));
            }
        }
        route
    }

    fn stack(&mut self, column: usize) {
        let mut top = 0.0;
        for index in &self.columns[column] {
            self.tops[*index] = top;
            top += self.room(*index);
        }
    }

    /// The height that a box needs in its column, including the gap.
    fn room(&self, index: usize) -> f64 {
        let Size { width, height, .. } = self.boxes[index];
        height + if width == 0.0 { PASSING_GAP } else { ROW_GAP }
    }

    fn middle(&self, index: usize) -> f64 {
        self.tops[index] + self.boxes[index].height / 2.0
    }

    /// The best position of a box: the average of the boxes that it is linked to on one side.
    /// Without links, its current position.
    fn wanted(&self, index: usize, before: bool) -> f64 {
        let ends = self.links.iter().filter_map(|(from, port, to)| match before {
            true => (*to == index).then(|| self.tops[*from] + port),
            false => (*from == index).then(|| self.middle(*to)),
        });
        let (sum, count) = ends.fold((0.0, 0), |(sum, count), end| (sum + end, count + 1));
        if count == 0 { self.middle(index) } else { sum / f64::from(count) }
    }

    fn sort(&mut self, column: usize, before: bool) {
        let mut order: Vec<_> = self.columns[column]
            .iter()
            .map(|index| (self.wanted(*index, before), *index))
            .collect();
        order.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        self.columns[column] = order.into_iter().map(|(_, index)| index).collect();
        self.stack(column);
    }

    /// Moves the boxes of a column towards their best positions without overlaps: halfway between
    /// the result of pushing down from above and that of pushing up from below.
    fn align(&mut self, column: usize) {
        let order = self.columns[column].clone();
        let best: Vec<_> = order
            .iter()
            .map(|index| self.wanted(*index, true) - self.boxes[*index].height / 2.0)
            .collect();
        let mut free = f64::NEG_INFINITY;
        let down = order.iter().zip(&best).map(|(index, best)| {
            let top = best.max(free);
            free = top + self.room(*index);
            top
        });
        let down: Vec<_> = down.collect();
        let mut free = f64::INFINITY;
        let up = order.iter().zip(&best).rev().map(|(index, best)| {
            let top = best.min(free - self.room(*index));
            free = top;
            top
        });
        let up: Vec<_> = up.collect();
        for ((index, down), up) in order.iter().zip(down).zip(up.iter().rev()) {
            self.tops[*index] = (down + up) / 2.0;
        }
    }

    fn finish(&self, real: usize, lines: &[Line], routes: &[Vec<usize>]) -> Layout {
        let widths = self
            .columns
            .iter()
            .map(|column| column.iter().map(|index| self.boxes[*index].width).fold(0.0, f64::max));
        let widths: Vec<_> = widths.collect();
        let lefts: Vec<f64> = widths
            .iter()
            .scan(0.0, |left, width| Some(std::mem::replace(left, *left + width + COLUMN_GAP)))
            .collect();
        // boxes are centered in their column
        let left = |index: usize| {
            let Size { column, width, .. } = self.boxes[index];
            lefts[column] + (widths[column] - width) / 2.0
        };
        let path = |line: &Line, route: &Vec<usize>| {
            let mut path = vec![(
                left(line.from) + self.boxes[line.from].width,
                self.tops[line.from] + line.port,
            )];
            for index in &route[1..route.len() - 1] {
                let (column, y) = (self.boxes[*index].column, self.middle(*index));
                path.extend([(lefts[column], y), (lefts[column] + widths[column], y)]);
            }
            let back = self.boxes[line.from].column >= self.boxes[line.to].column;
            let end = left(line.to) + if back { self.boxes[line.to].width } else { 0.0 };
            path.push((end, self.middle(line.to)));
            path
        };
        Layout {
            boxes: (0..real).map(|index| (left(index), self.tops[index])).collect(),
            lines: lines.iter().zip(routes).map(|(line, route)| path(line, route)).collect(),
            width: lefts.last().zip(widths.last()).map_or(0.0, |(left, width)| left + width),
            height: self
                .tops
                .iter()
                .zip(&self.boxes)
                .map(|(top, size)| top + size.height)
                .fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_do_not_overlap_and_long_lines_pass_between_them() {
        let size = |column| Size { width: 100.0, height: 40.0, column };
        let sizes = [0, 0, 0, 1, 1, 1, 2, 2].map(size);
        let line = |(from, to)| Line { from, port: 20.0, to };
        let lines = [(0, 5), (1, 4), (2, 3), (0, 7), (2, 6), (4, 6), (5, 4), (3, 3)].map(line);
        let layout = place(&sizes, &lines);
        for (one, (x, y)) in layout.boxes.iter().enumerate() {
            for (other_x, other_y) in &layout.boxes[one + 1..] {
                assert!(
                    (x - other_x).abs() >= 100.0 || (y - other_y).abs() >= 40.0,
                    "{:?}",
                    layout.boxes
                );
            }
        }
        // linked boxes end up side by side: the order of the second column is reversed
        let tops = [3, 4, 5].map(|index: usize| layout.boxes[index].1);
        assert!(tops[2] < tops[1] && tops[1] < tops[0], "{tops:?}");
        let passing = &layout.lines[3];
        assert_eq!(passing.len(), 4);
        let hit = layout.boxes[3..6]
            .iter()
            .any(|(_, top)| passing[1].1 > *top && passing[1].1 < top + 40.0);
        assert!(!hit, "{layout:?}");
    }
}
