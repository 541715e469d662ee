//! Damaged sources: nothing changes where nothing is named, exactly the name changes where it is, and nothing panics.

use switchback_core::verdict::Verdict;

use super::{new_bytes, planned, put};

/// Sources of many kinds, to be damaged.
const SEEDS: &[&[u8]] = &[
    b"def f(a, /, b: int = 1, *args, c, **rest) -> 'C':\n    \"\"\"What it does.\"\"\"\n    return a if b else c\n",
    b"value = f'{name!r:>{width}} {f\"{inner}\"} {\"a\" + 'b'}'\nlong = f'''{\n    1\n}'''\n",
    b"type Pair[T: int, *Ts, **P] = dict[T, list[T]]\ndef first[T](x: T) -> T: return x\nclass Box[T = int]: ...\n",
    b"greeting = t'hello {name!s:>10}' t'{1 + 1}'\npattern = rt'\\d{x}'\n",
    b"match point:\n    case {'x': [1, *_], **rest} if (n := len(rest)) > 1:\n        pass\n    case A(b=C.D) | None as q:\n        pass\n",
    b"items = []  # type: list[int]\ndef f(a,  # type: int\n      b):\n    # type: (...) -> None\n    pass\n",
    b"print 'hello', 1\nexec 'x' in {}\nraise E, 'x'\ntry:\n    pass\nexcept E, e:\n    pass\nx = `1` <> 0777L\n",
    b"async def main():\n    async with (open(a) as b, open(c) as d,):\n        return [x async for x in y if await z]\n",
    b"try:\n    pass\nexcept* (A, B):\n    pass\nfinally:\n    del a.b, c[0]\n",
    b"@decorated(by='x')\nclass Model(Base, metaclass=Meta):\n    field: int = 3\n    def __getattr__(self, name): ...\n",
    b"# -*- coding: latin-1 -*-\nname = '\xe9\xff'\n",
    b"# -*- coding: shift_jis -*-\nname = '\x83\x5c'\n",
    b"\xef\xbb\xbfx = 1\r\ny = 2\r\n",
    b"if x:\n\ty = 1\n        z = 2\n",
    b"x = 1 \\",
    b"",
];

/// How many files are made of each damage.
const ROUNDS: usize = 8;

/// Numbers that only look as if they came by chance (xorshift, Marsaglia 2003): the same ones in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

type Damage = fn(&[u8], &mut Chance) -> Vec<u8>;

const DAMAGES: &[(&str, Damage)] = &[
    ("plain", |bytes, _| bytes.to_vec()),
    ("cut", |bytes, chance| bytes[..chance.below(bytes.len() + 1)].to_vec()),
    ("flipped", flipped),
    ("shuffled", |bytes, chance| {
        let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for at in (1..lines.len()).rev() {
            lines.swap(at, chance.below(at + 1));
        }
        lines.concat()
    }),
    ("nul", |bytes, chance| strewn(bytes, &[b"\0"], chance)),
    ("form-feeds", |bytes, chance| strewn(bytes, &[b"\x0c", b"\x0c\n"], chance)),
    ("open", |bytes, chance| strewn(bytes, &[b"(", b"[", b"{", b"'''", b"\"", b"f'{", b"\\\n"], chance)),
    ("closed", |bytes, chance| strewn(bytes, &[b")", b"]", b"}", b"'''", b":", b"\n  "], chance)),
    ("words", |bytes, chance| {
        strewn(bytes, &[b" lambda ", b" import ", b" from ", b" as ", b" * ", b" . "], chance)
    }),
    ("tabs", |bytes, _| replaced(bytes, b"    ", b"\t")),
    ("cr", |bytes, _| replaced(bytes, b"\n", b"\r")),
    ("crlf", |bytes, _| replaced(bytes, b"\n", b"\r\n")),
    ("one-line", |bytes, _| replaced(bytes, b"\n", b" ")),
    ("long-line", |bytes, _| [bytes, b"\nx = '", &b"long ".repeat(20_000), b"'\n"].concat()),
];

fn flipped(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=bytes.len() / 40 {
        let at = chance.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u8::try_from(chance.below(256)).unwrap();
        }
    }
    bytes
}

fn strewn(bytes: &[u8], what: &[&[u8]], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..3 {
        let at = chance.below(bytes.len() + 1);
        bytes.splice(at..at, what[chance.below(what.len())].iter().copied());
    }
    bytes
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(old) {
            found.extend_from_slice(new);
            at += old.len();
        } else {
            found.push(bytes[at]);
            at += 1;
        }
    }
    found
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut chance = Chance(0x5ee_d0f_a11);
    let mut files = Vec::new();
    for (name, damage) in DAMAGES {
        for (number, seed) in SEEDS.iter().enumerate() {
            for round in 0..ROUNDS {
                files.push((format!("corpus/{name}/m{number}_{round}.py"), damage(seed, &mut chance)));
            }
        }
    }
    files
}

#[test]
fn where_nothing_is_named_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let files = corpus();
    assert!(files.len() > 1_000, "only {} files", files.len());
    for (path, content) in &files {
        put(folder.path(), path, content);
    }
    put(folder.path(), "shop/__init__.py", b"");
    put(folder.path(), "shop/cart_of_old.py", b"VALUE = 1\n");
    let plan = planned(folder.path(), "shop.cart_of_old", "shop.cart_of_new").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let touched: Vec<&str> = plan.changes.iter().map(|change| change.old_path.as_str()).collect();
    assert_eq!(touched, ["shop/cart_of_old.py"]);
    assert_eq!(plan.edited(), 0);
}

#[test]
fn where_it_is_named_exactly_the_name_changes() {
    let folder = tempfile::tempdir().unwrap();
    let statements: [&[u8]; 3] = [
        b"from shop.cart_of_old import VALUE",
        b"import shop.cart_of_old as cart",
        b"from shop import cart_of_old as cart",
    ];
    let mut chance = Chance(0xcafe);
    let mut files = corpus();
    for (path, content) in &mut files {
        let end: &[u8] = match (content.contains(&b'\n'), content.contains(&b'\r')) {
            (true, true) => b"\r\n",
            (false, true) => b"\r",
            _ => b"\n",
        };
        let statement = statements[chance.below(statements.len())];
        let is_first = chance.below(3) == 0 && !content.starts_with(b"#") && !content.starts_with(b"\xef");
        *content = if is_first {
            [statement, end, content.as_slice()].concat()
        } else {
            [content.as_slice(), end, statement, end].concat()
        };
        put(folder.path(), path, content);
    }
    put(folder.path(), "shop/__init__.py", b"");
    put(folder.path(), "shop/cart_of_old.py", b"VALUE = 1\n");
    let plan = planned(folder.path(), "shop.cart_of_old", "shop.cart_of_new").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let mut edited = 0;
    for (path, old) in &files {
        if let Some(new) = new_bytes(&plan, path) {
            let wanted = replaced(old, b"cart_of_old", b"cart_of_new");
            assert_eq!(String::from_utf8_lossy(new), String::from_utf8_lossy(&wanted), "{path}");
            assert_eq!(new, wanted, "{path}");
            edited += 1;
            continue;
        }
        let is_named = plan.unparsed.iter().any(|one| one.path == *path)
            || plan.changes.iter().any(|change| change.old_path == *path && !change.left.is_empty());
        // The statement may have come to stand in a comment or in a string that somebody opened.
        assert!(is_named || !path.contains("plain"), "{path}: {}", String::from_utf8_lossy(old));
    }
    assert!(edited * 2 > files.len(), "only {edited} of {} files were edited", files.len());
}

/// Ways to nest, each to any depth: what opens, what stands in the middle, what closes.
const NESTS: &[(&str, &str, &str, &str, &str)] = &[
    ("parentheses", "x = ", "(", "y", ")"),
    ("unclosed", "x = ", "(", "y", ""),
    ("lists", "x = ", "[", "y", "]"),
    ("pairs", "x = ", "(y, ", "y", ")"),
    ("dictionaries", "x = ", "{0:", "y", "}"),
    ("calls", "x = ", "f(", "y", ")"),
    ("called", "x = y", "", "", "()"),
    ("indexed", "x = y", "", "", "[0]"),
    ("attributes", "x = y", "", "", ".y"),
    ("nots", "x = ", "not ", "y", ""),
    ("minuses", "x = ", "-", "y", ""),
    ("powers", "x = ", "y ** ", "y", ""),
    ("sums", "x = ", "y + ", "y", ""),
    ("lambdas", "x = ", "lambda: ", "y", ""),
    ("parameters", "x = ", "lambda a, b: ", "y", ""),
    ("defaults", "x = ", "lambda a=lambda: 0, b=0: ", "y", ""),
    ("conditions", "x = ", "a if b else ", "y", ""),
    ("awaits", "x = ", "await ", "y", ""),
    ("walruses", "x = ", "(a := ", "y", ")"),
    ("comprehensions", "x = ", "[a for a in ", "y", "]"),
    ("f-strings", "x = ", "f'{", "y", "}'"),
    ("formats", "x = f'{y:", "{y:", "", "}"),
    ("patterns", "match x:\n  case ", "[", "y", "]: pass"),
    ("annotations", "x: ", "list[", "y", "]"),
    ("stars", "f(", "*", "y", ")"),
    ("assignments", "", "x = ", "y", ""),
    ("elifs", "if y: pass\n", "elif y: pass\n", "", ""),
    ("decorators", "", "@y\n", "def f(): pass", ""),
    ("strings", "x = (", "'y' ", "", ")"),
];

fn nested(depth: usize) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = NESTS
        .iter()
        .map(|(name, before, open, middle, close)| {
            let close = if *name == "patterns" { "]".repeat(depth) + ": pass" } else { close.repeat(depth) };
            let end = if matches!(*name, "formats") { "}'" } else { "" };
            let end = if matches!(*name, "stars" | "strings") { ")" } else { end };
            let close = if matches!(*name, "stars" | "strings") { String::new() } else { close };
            (format!("deep/{name}.py"), format!("{before}{}{middle}{close}{end}\n", open.repeat(depth)))
        })
        .collect();
    let blocks: Vec<String> = (0..depth.min(1_000)).map(|level| " ".repeat(level) + "if y:\n").collect();
    files.push((
        "deep/blocks.py".to_owned(),
        format!("{}{}pass\n", blocks.concat(), " ".repeat(depth.min(1_000))),
    ));
    files
}

fn check_depth(depth: usize) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let statement = "import shop.cart_of_old as cart\n";
    let files = nested(depth);
    for (path, content) in &files {
        put(folder.path(), path, format!("{statement}{content}").as_bytes());
    }
    put(folder.path(), "shop/__init__.py", b"");
    put(folder.path(), "shop/cart_of_old.py", b"VALUE = 1\n");
    let plan = planned(folder.path(), "shop.cart_of_old", "shop.cart_of_new").unwrap();
    let mut left = Vec::new();
    for (path, content) in &files {
        if let Some(new) = new_bytes(&plan, path) {
            let wanted = format!("import shop.cart_of_new as cart\n{content}");
            assert_eq!(new, wanted.as_bytes(), "{path} at {depth}");
            continue;
        }
        let one = plan.unparsed.iter().find(|one| one.path == *path);
        assert!(one.is_some_and(|one| one.message.contains("deep")), "{path} at {depth}: {one:?}");
        left.push(path.clone());
    }
    left
}

#[test]
fn what_nests_as_deep_as_python_allows_is_read_and_what_nests_deeper_is_named() {
    assert_eq!(check_depth(150), Vec::<String>::new());
    assert_eq!(check_depth(1_500), Vec::<String>::new());
    assert!(check_depth(50_000).len() > 20);
}
