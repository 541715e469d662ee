//! The keys of the plan file as data: the reader, the JSON Schema and the documentation's test all use these tables.

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for people and editors.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: true, doc }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: false, doc }
    }

    /// Whether this version can carry it out.
    pub const fn is_built(&self) -> bool {
        !matches!(self.shape, Shape::NotBuilt)
    }

    /// A key that the plan file knows and this version cannot carry out yet.
    pub const fn not_built(name: &'static str, doc: &'static str) -> Self {
        Self { name, shape: Shape::NotBuilt, required: false, doc }
    }
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of texts, or one of these words.
    WordOrTexts(&'static [&'static str]),
    /// A list of lists of texts.
    TextLists,
    /// A whole number, 0 or more.
    Whole,
    /// A whole number, 0 or more, or a table whose keys are names and whose values are such numbers.
    WholeOrNamed,
    /// A number, 0 or more.
    Number,
    /// A number of either sign, as it is written.
    Decimal,
    /// `true` or `false`.
    Flag,
    /// A text, a number, or `true` or `false`.
    Scalar,
    /// A table whose keys are names and whose values are texts, numbers, or `true` or `false`.
    NamedScalars,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table whose keys are names and whose values are all tables with these keys.
    Named(&'static [Key]),
    /// A table whose keys are names and whose values are texts.
    NamedTexts,
    /// A list of values: texts, numbers, days, `true` or `false`.
    Values,
    /// A table whose keys are names and whose values are values, or lists of them.
    NamedValues,
    /// A table whose keys are names and whose values are tables of texts, each with a name.
    NamedGroups,
    /// A table whose keys are names and whose values are texts or tables with these keys.
    NamedTextsOrTables(&'static [Key]),
    /// A list of tables with these keys.
    Tables(&'static [Key]),
    /// A list whose items are texts or tables with these keys.
    TextsOrTables(&'static [Key]),
    /// A text, or a table with these keys.
    TextOrTable(&'static [Key]),
    /// A list of texts, or a table with these keys.
    TextsOrTable(&'static [Key]),
    /// A list of tables whose other keys depend on the value of `kind`; the static keys hold for all kinds.
    Kinds(&'static [Key], fn() -> Vec<KindKeys>),
    /// Known, and not built yet.
    NotBuilt,
}

impl Shape {
    /// In words, for a message: "a list of texts".
    pub fn words(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Word(words) => format!("one of {}", quoted(words)),
            Self::WordOrTexts(words) => format!("a list of texts, or one of {}", quoted(words)),
            Self::Texts => "a list of texts".to_owned(),
            Self::TextLists => "a list of lists of texts".to_owned(),
            Self::Whole => "a whole number, 0 or more".to_owned(),
            Self::WholeOrNamed => "a whole number, 0 or more, or a table of them".to_owned(),
            Self::Number => "a number, 0 or more".to_owned(),
            Self::Decimal => "a number".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Scalar => "a text, a number, or `true` or `false`".to_owned(),
            Self::NamedScalars => "a table of texts, numbers and truths".to_owned(),
            Self::NamedTexts => "a table of texts".to_owned(),
            Self::Values => "a list of texts or numbers".to_owned(),
            Self::NamedValues => "a table of values, or of lists of values".to_owned(),
            Self::NamedGroups => "a table of tables of texts".to_owned(),
            Self::NamedTextsOrTables(_) => "a table of texts or tables".to_owned(),
            Self::Table(_) | Self::Named(_) => "a table".to_owned(),
            Self::Tables(_) | Self::Kinds(..) => "a list of tables (`[[…]]`)".to_owned(),
            Self::TextsOrTables(_) => "a list of texts or tables".to_owned(),
            Self::TextOrTable(_) => "a text or a table".to_owned(),
            Self::TextsOrTable(_) => "a list of texts, or a table".to_owned(),
            Self::NotBuilt => "not built yet".to_owned(),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// A kind of change or check, and the keys that it has beside those that every kind has.
#[derive(Debug, Clone, Copy)]
pub struct KindKeys {
    /// The value of `kind`.
    pub word: &'static str,
    /// One sentence for people and editors.
    pub doc: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
}
