//! What a page says, before it has a form: sentences, tables and rows.

/// A heading and what stands below it.
pub(super) struct Section {
    pub(super) title: String,
    /// `yes`, `no` or `unknown`; empty where it has none.
    pub(super) verdict: String,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
pub(super) enum Block {
    Sentence(String),
    Table(Table),
    /// Rows of both tables, with the cells that differ and some beside them.
    Rows(Vec<Row>),
}

/// A table of facts. Each row has as many cells as there are heads.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// What is not in it; empty where everything is.
    pub(super) more: String,
}

/// The head of a column.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// How a column gives way where a screen is narrow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number, which is never cut.
    Number,
    /// A short word, which is never cut.
    Word,
    /// Text that can be cut in its middle.
    Text,
    /// Text that has lines of its own below its row where there is no room beside it.
    Below,
}

impl Table {
    /// The table without columns of which every cell is empty.
    pub(super) fn filled(mut self) -> Self {
        let is_filled = |at: usize| {
            at == 0 || self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.words().is_empty()))
        };
        let filled: Vec<bool> = (0..self.heads.len()).map(is_filled).collect();
        let kept = |at: usize| filled.get(at) == Some(&true);
        self.heads =
            self.heads.into_iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, head)| head).collect();
        for row in &mut self.rows {
            *row = std::mem::take(row)
                .into_iter()
                .enumerate()
                .filter(|(at, _)| kept(*at))
                .map(|(_, cell)| cell)
                .collect();
        }
        self
    }
}

impl Head {
    pub(super) fn number(name: &'static str) -> Self {
        Self { name, kind: Kind::Number }
    }

    pub(super) fn word(name: &'static str) -> Self {
        Self { name, kind: Kind::Word }
    }

    pub(super) fn text(name: &'static str) -> Self {
        Self { name, kind: Kind::Text }
    }

    pub(super) fn below(name: &'static str) -> Self {
        Self { name, kind: Kind::Below }
    }
}

/// One cell.
#[derive(Clone)]
pub(super) enum Cell {
    Text(String),
    /// What became what.
    Pair(String, String),
    /// A verdict: `yes`, `no`, `unknown`.
    Verdict(String),
    /// The name of a section, and its number on the page, where it has one.
    Link(String, Option<usize>),
}

impl Cell {
    /// The cell in words, whatever its length.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Text(text) | Self::Verdict(text) | Self::Link(text, _) => text.clone(),
            Self::Pair(old, new) => format!("{old} → {new}"),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A row that differs.
pub(super) struct Row {
    /// Its key, or nothing where it has none.
    pub(super) key: String,
    /// Its numbers on both sides.
    pub(super) numbers: String,
    /// In the order of the table.
    pub(super) cells: Vec<RowCell>,
    /// How many compared columns are not among them.
    pub(super) columns_more: u64,
}

/// A cell of a row.
pub(super) struct RowCell {
    pub(super) column: String,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) mark: Mark,
}

/// How close the two sides of a cell are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Same,
    /// Not the same, and within what the rule allows.
    Within,
    Differs,
}
