//! Names that are there, and names that are gone.

use std::sync::Arc;

use switchback_core::verdict::Verdict;
use switchback_core::world::RealDisk;
use switchback_python::symbols::{Presence, SymbolsError, SymbolsOptions, SymbolsOutcome, symbols};

use crate::lay_out;

const FILES: &[(&str, &str)] = &[
    ("shop/__init__.py", "from .cart import Cart as Basket\nfrom . import cart\nVERSION = '1'\n"),
    (
        "shop/cart.py",
        "from shop.base import Base\nfrom outside import Foreign\nimport yaml\nclass Cart(Base):\n    rate: int\n    def __init__(self):\n        self.lines = []\n    def add(self): ...\n    def fill(self):\n        self.full = True\n    class Line:\n        def drop(self): ...\nclass Wild(Foreign):\n    def own(self): ...\nAlias = Cart\nif yaml:\n    def maybe(): ...\n",
    ),
    (
        "shop/base.py",
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Root(Generic[T]):\n    def save(self): ...\nclass Base(Root[int]):\n    def load(self): ...\n",
    ),
    ("shop/star.py", "from shop.base import *\n"),
    ("shop/foreign.py", "from numpy import *\n"),
    ("shop/dynamic.py", "def __getattr__(name): ...\n"),
    ("ns/inner/mod.py", "X = 1\n"),
];

fn asked(exist: &[&str], gone: &[&str]) -> Result<SymbolsOutcome, SymbolsError> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), FILES);
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    let options = SymbolsOptions {
        root: folder.path().to_owned(),
        exist: words(exist),
        gone: words(gone),
        ..SymbolsOptions::default()
    };
    symbols(Arc::new(RealDisk), &options)
}

// rows: RB-5
#[test]
fn each_name_is_there_gone_or_nobody_can_tell() {
    let cases: &[(&str, &str, &str)] = &[
        ("shop.cart", "there", "a module"),
        ("ns.inner", "there", "a package without a file of its own"),
        ("shop.none", "gone", "there is no module `shop.none`"),
        ("shop.none:f", "gone", "there is no module `shop.none`"),
        ("shop:VERSION", "there", "a value"),
        ("shop:Basket", "there", "a class, re-exported from `shop.cart`"),
        ("shop:cart.Cart.add", "there", "a method"),
        ("shop:Basket.add", "there", "a method, re-exported from `shop.cart`"),
        ("shop.cart:Cart", "there", "a class"),
        ("shop.cart:Cart.rate", "there", "an attribute of the class"),
        ("shop.cart:Cart.lines", "there", "an attribute that a method sets"),
        ("shop.cart:Cart.full", "there", "an attribute that a method sets"),
        ("shop.cart:Cart.Line.drop", "there", "a method"),
        ("shop.cart:Cart.load", "there", "a method, re-exported from `shop.base`, inherited from `Base`"),
        (
            "shop.cart:Cart.save",
            "there",
            "a method, inherited from `Root`, re-exported from `shop.base`, inherited from `Base`",
        ),
        ("shop.cart:Cart.sell", "gone", "`Cart` of `shop.cart` has no `sell`"),
        ("shop.cart:Alias.add", "there", "a method"),
        ("shop.cart:maybe", "there", "a function"),
        ("shop.cart:maybe.x", "gone", "`maybe` is a function, and nothing gives it `x`"),
        ("shop.cart:nothing", "gone", "`shop.cart` has no `nothing`"),
        ("shop.cart:Wild.own", "there", "a method"),
        ("shop.cart:Wild.other", "unknown", "`Foreign` comes from outside of the tree: `outside.Foreign`"),
        ("shop.cart:yaml", "there", "imported from outside of the tree: `yaml`"),
        ("shop.star:Base", "there", "a class, through `from shop.base import *` in `shop.star`"),
        ("shop.star:Nothing", "gone", "`shop.star` has no `Nothing`"),
        (
            "shop.foreign:array",
            "unknown",
            "`shop.foreign` takes all names of `numpy`, which is not in the tree",
        ),
        ("shop.dynamic:anything", "unknown", "`shop.dynamic` makes names while it runs"),
    ];
    let names: Vec<&str> = cases.iter().map(|(name, ..)| *name).collect();
    let outcome = asked(&names, &[]).unwrap();
    for (symbol, (name, wanted, why)) in outcome.symbols.iter().zip(cases) {
        let (is, how) = match &symbol.presence {
            Presence::There(how) => ("there", how),
            Presence::Gone(how) => ("gone", how),
            Presence::Unknown(how) => ("unknown", how),
        };
        assert_eq!((is, how.as_str()), (*wanted, *why), "{name}");
    }
}

#[test]
fn verdicts_follow_what_was_asked_for() {
    let cases: &[(&[&str], &[&str], Verdict)] = &[
        (&["shop.cart:Cart.add"], &["shop.cart:Cart.sell"], Verdict::Yes),
        (&["shop.cart:Cart.sell"], &[], Verdict::No),
        (&[], &["shop.cart:Cart.add"], Verdict::No),
        (&["shop.dynamic:x"], &[], Verdict::Unknown),
        (&[], &[], Verdict::Unknown),
    ];
    for (exist, gone, wanted) in cases {
        assert_eq!(asked(exist, gone).unwrap().verdict(), *wanted, "{exist:?} {gone:?}");
    }
    let outcome = asked(&["shop.cart:Cart.add"], &[]).unwrap();
    assert_eq!(outcome.symbols[0].place, Some(("shop/cart.py".to_owned(), 8)));
    assert_eq!(outcome.to_json()["symbols"][0]["line"], 8);
    assert!(matches!(asked(&["shop/cart.py:Cart"], &[]), Err(SymbolsError::NoSymbol(_))));
}
