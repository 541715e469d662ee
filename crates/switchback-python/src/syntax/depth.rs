//! How deep a tree of syntax can be, told from its tokens: no walk is needed that would itself need the depth.

use ruff_python_ast::Mod;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_parser::{ParseOptions, Parsed, parse_unchecked};

/// How deep a tree may be to be walked, and dropped, by recursion. Python itself gives up before.
pub(super) const LEVELS_MAX: usize = 10_000;
/// How deep a tree may be for the stack of any thread.
const LEVELS_FREE: usize = 100;
/// What a level may take of the stack, with every function of a walk unoptimised.
const LEVEL_BYTES: usize = 16 << 10;

/// Parses a text and walks its tree, on a stack that is large enough; nothing where it nests too deeply for that.
pub(super) fn walk<T>(
    source: &str,
    options: ParseOptions,
    walk: impl FnOnce(&Parsed<Mod>) -> T,
) -> Option<T> {
    if braces(source.as_bytes()) > LEVELS_MAX {
        return None;
    }
    let parsed = parse_unchecked(source, options);
    let levels = bound(parsed.tokens());
    if levels > LEVELS_MAX {
        // To drop it would take the stack that to walk it takes.
        std::mem::forget(parsed);
        return None;
    }
    if levels <= LEVELS_FREE {
        return Some(walk(&parsed));
    }
    Some(stacker::grow(levels * LEVEL_BYTES, move || walk(&parsed)))
}

/// How deep braces nest, whatever they stand in. Of f-strings in f-strings, the time to read them grows with the square.
fn braces(source: &[u8]) -> usize {
    let (mut open, mut most) = (0_usize, 0_usize);
    for at in memchr::memchr2_iter(b'{', b'}', source) {
        open = if source.get(at) == Some(&b'{') { open + 1 } else { open.saturating_sub(1) };
        most = most.max(open);
    }
    most
}

/// What is open: how many levels stand before the bracket, and how many `lambda` wait for their colon there.
#[derive(Default)]
struct Level {
    levels: usize,
    parameters: usize,
}

/// An upper bound of the depth of the tree that these tokens make. Each bracket and each block is a level; so is whatever
/// stands between two commas or ends of lines and may take what is before it, or behind it, as its operand.
pub(super) fn bound(tokens: &Tokens) -> usize {
    let mut open: Vec<Level> = Vec::new();
    let mut here = Level::default();
    let (mut outer, mut blocks, mut most) = (0_usize, 0_usize, 0_usize);
    for token in tokens {
        match token.kind() {
            kind if opens(kind) => {
                outer += here.levels + 1;
                open.push(std::mem::take(&mut here));
            }
            kind if closes(kind) => {
                here = open.pop().unwrap_or_default();
                outer = outer.saturating_sub(here.levels + 1);
                // What is called or indexed is a level of what calls it.
                here.levels += 1;
            }
            TokenKind::Comma if here.parameters == 0 => here.levels = 0,
            TokenKind::Newline | TokenKind::Semi => here = Level::default(),
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Lambda => {
                here.levels += 1;
                here.parameters += 1;
            }
            TokenKind::Colon => {
                here.levels += 1;
                here.parameters = here.parameters.saturating_sub(1);
            }
            kind => here.levels += usize::from(!is_flat(kind)),
        }
        most = most.max(here.levels + outer + blocks);
        if most > LEVELS_MAX {
            break;
        }
    }
    most
}

/// What is an operand, or joins any number of operands on one level.
fn is_flat(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::String
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::Ellipsis
            | TokenKind::None
            | TokenKind::True
            | TokenKind::False
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::Comma
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
    )
}

fn opens(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart
    )
}

fn closes(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd
    )
}
