//! Trees for people, with what stands behind the names in columns.

use pantler::{PutNode, PutPlan, TreeLine};

use crate::screen::{Screen, Style};

const GAP: &str = "   ";

/// One line of a tree: branches, then cells; the cells of all lines but the first stand below each other.
struct Line {
    branches: String,
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    right: bool,
}

impl Cell {
    fn left(text: &str) -> Cell {
        Cell {
            text: text.to_owned(),
            right: false,
        }
    }

    fn right(text: &str) -> Cell {
        Cell {
            text: text.to_owned(),
            right: true,
        }
    }
}

/// Returns the text of an explained get.
pub fn get_tree(screen: &Screen, lines: &[TreeLine]) -> String {
    render(&|style, text| screen.out(style, text), &get_lines(lines))
}

/// Returns the text of an explained get as it is printed where there are no colours: the root, then the components below
/// each other in columns.
pub fn plain_tree(lines: &[TreeLine]) -> String {
    render(&|_, text| text.to_owned(), &get_lines(lines))
}

fn get_lines(lines: &[TreeLine]) -> Vec<Line> {
    lines
        .iter()
        .map(|line| Line {
            branches: line.branches.clone(),
            cells: vec![
                Cell::left(&line.name),
                Cell::left(&line.dataset),
                Cell::left(&line.data_id),
                Cell::right(&line.bytes),
                Cell::left(&line.repository),
                Cell::left(&line.place),
                Cell::left(&line.notes.join(", ")),
            ],
        })
        .collect()
}

/// Returns the text of an explained put.
pub fn put_tree(screen: &Screen, plan: &PutPlan) -> String {
    let mut lines = Vec::new();
    add_put_node(&plan.root, &plan.name, "", "", &mut lines);
    render(&|style, text| screen.out(style, text), &lines)
}

fn add_put_node(node: &PutNode, name: &str, branches: &str, below: &str, lines: &mut Vec<Line>) {
    let root = branches.is_empty();
    lines.push(Line {
        branches: branches.to_owned(),
        cells: vec![
            Cell::left(name),
            Cell::left(if root { "" } else { &node.dataset }),
            Cell::left(&node.data_id.to_string()),
            Cell::left(node.location.as_deref().unwrap_or_default()),
            Cell::left(&node.action),
        ],
    });
    for (index, component) in node.components.iter().enumerate() {
        let last = index + 1 == node.components.len();
        let (branch, more) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let (branches, below) = (format!("{below}{branch}"), format!("{below}{more}"));
        add_put_node(component, &component.component, &branches, &below, lines);
    }
}

fn render(styled: &dyn Fn(Style, &str) -> String, lines: &[Line]) -> String {
    let mut text = String::new();
    let Some((root, rest)) = lines.split_first() else {
        return text;
    };
    // The root is a heading: its cells are too long to set the width of the columns.
    let cells: Vec<&str> = root
        .cells
        .iter()
        .map(|cell| cell.text.as_str())
        .filter(|text| !text.is_empty())
        .collect();
    if let Some((name, more)) = cells.split_first() {
        let name = styled(Style::Bold, name);
        text.push_str(
            std::iter::once(name.as_str())
                .chain(more.iter().copied())
                .collect::<Vec<_>>()
                .join(GAP)
                .trim_end(),
        );
        text.push('\n');
    }
    let columns = rest.iter().map(|line| line.cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rest.iter()
                .map(|line| width_of(line, column))
                .max()
                .unwrap_or(0)
        })
        .collect();
    for line in rest {
        let mut row = String::new();
        for (column, cell) in line.cells.iter().enumerate() {
            if widths[column] == 0 {
                continue;
            }
            let blanks = " ".repeat(widths[column] - width_of(line, column));
            if column > 0 {
                row.push_str(GAP);
            }
            match cell.right {
                true => row.extend([blanks.as_str(), &cell.text]),
                false => row.extend([cell.text.as_str(), &blanks]),
            }
        }
        text.push_str(&styled(Style::Dim, &line.branches));
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// The branches belong to the first column.
fn width_of(line: &Line, column: usize) -> usize {
    let branches = if column == 0 {
        line.branches.chars().count()
    } else {
        0
    };
    branches
        + line
            .cells
            .get(column)
            .map_or(0, |cell| cell.text.chars().count())
}
